import { Injectable } from '@nestjs/common';
import { v5 } from 'uuid';
import { streamOf } from '../../kernel/decider.js';
import { pause } from '../../kernel/retry.js';
import { newEvent } from '../../platform/eventsourcing/command-runner.js';
import { UnprocessableEvents, type UntoldFailure } from '../../platform/failures/unprocessable-events.js';
import { AsBackgroundTask, type BackgroundTask } from '../../platform/runtime/background-tasks.js';
import { EventStore } from '../../ports/event-store.port.js';
import { ServerIdentity } from '../../ports/server-identity.port.js';
import { type ProblemEvent, problemEvents } from './contracts/problem.events.js';

/** The namespace of the ids of these events. It is part of the format and never changes. */
const NAMESPACE = '0a7c2b2e-6a0b-5c39-8d5e-3c3f9b1f4d60';
/** Another process may have recorded a failure. */
const CHECK_INTERVAL_MS = 5_000;
const MAX_PER_READ = 100;

/**
 * Records in the log, and so in the audit trail, which events a reader could not process, and which ones it has processed
 * after all. The ids of these events follow from the reader and the event, so each is recorded once.
 */
@AsBackgroundTask({
  name: 'unprocessable events',
  phase: 'observe',
  roles: ['all', 'api', 'worker'],
  lock: 'unprocessable events',
})
@Injectable()
export class AnnounceUnprocessable implements BackgroundTask {
  constructor(
    private readonly failures: UnprocessableEvents,
    private readonly store: EventStore,
    private readonly identity: ServerIdentity,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    let changed = new AbortController();
    const stopWatching = this.failures.onChange(() => changed.abort());
    try {
      while (!signal.aborted) {
        changed = new AbortController();
        await this.announceAll(signal);
        await pause(CHECK_INTERVAL_MS, [signal, changed.signal]);
      }
    } finally {
      stopWatching();
    }
  }

  private async announceAll(signal: AbortSignal): Promise<void> {
    for (;;) {
      const untold = await this.failures.findUntold(MAX_PER_READ);
      for (const failure of untold) {
        if (signal.aborted) return;
        await this.announce(failure);
      }
      if (untold.length < MAX_PER_READ) return;
    }
  }

  private async announce(failure: UntoldFailure): Promise<void> {
    // What cannot be shown of these events themselves would lead to further ones without an end.
    if (!problemEvents.has(failure.type)) {
      const { reader, eventId, type: eventType, stream, reason, program } = failure;
      const about = { reader, eventId, eventType, stream };
      if (!failure.isAnnounced) await this.append({ type: 'EventUnprocessable', data: { ...about, reason, program } });
      if (failure.isProcessed) await this.append({ type: 'EventProcessed', data: about });
    }
    await this.failures.noteTold(failure);
  }

  /** Each problem has a stream of its own: an engine may have to search the stream for an id that is not new. */
  private async append(event: ProblemEvent): Promise<void> {
    const { reader, eventId } = event.data;
    const id = v5(`${event.type} ${reader} ${eventId}`, NAMESPACE);
    const stream = streamOf('problem', v5(`${reader} ${eventId}`, NAMESPACE));
    await this.store.append(stream, [{ ...newEvent(problemEvents, event, this.identity.serverId), id }], 'any');
  }
}
