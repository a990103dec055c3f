import { EventEmitter } from 'node:events';
import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import type { RecordedEvent } from '../../../kernel/events.js';
import { pause } from '../../../kernel/retry.js';
import { RestartingWork } from '../../../platform/runtime/restarting-work.js';
import { EventStore } from '../../../ports/event-store.port.js';
import { replicaEvents } from '../contracts/replica.events.js';

const NEWS_EVENT_TYPES = [
  'ReplicaRequested',
  'ReplicaDamaged',
  'ChunksVerified',
  'ChunksLost',
  'ReplicaPublished',
  'ReplicaFailed',
  'ReplicaWithdrawn',
];
/** The stream is read again after this time, since news may be lost while the log is unavailable. */
const CHECK_INTERVAL_MS = 500;

/** Waits for news of one replica. Close it exactly once. */
export interface NewsWatch {
  /** Resolves when there was news since the last call, after 0.5 seconds in any case, and at once when the signal is aborted. */
  next(signal: AbortSignal): Promise<void>;
  close(): void;
}

/**
 * Tells when any process of this server has recorded an event of our copy of a package. It is only a hint: the stream says
 * what has happened. The log is followed from the first `watch` on.
 */
@Injectable()
export class ReplicaNews implements OnModuleDestroy {
  private readonly logger = new Logger('ReplicaNews');
  private readonly emitter = new EventEmitter().setMaxListeners(0);
  private readonly work = new RestartingWork();
  private isFollowing = false;

  constructor(private readonly store: EventStore) {}

  watchReplica(packageId: string): NewsWatch {
    this.ensureFollowing();
    let isNews = false;
    const note = () => {
      isNews = true;
    };
    this.emitter.on(packageId, note);
    return {
      next: async (signal) => {
        if (!isNews && !signal.aborted) await this.nextOrLater(packageId, signal);
        isNews = false;
      },
      close: () => this.emitter.off(packageId, note),
    };
  }

  /** True when the server is stopping. All requests that wait for news must end before the HTTP server does. */
  get ended(): boolean {
    return this.work.isStopped;
  }

  async onModuleDestroy(): Promise<void> {
    const ended = this.work.stop();
    for (const packageId of this.emitter.eventNames()) this.emitter.emit(packageId);
    await ended;
  }

  private async nextOrLater(packageId: string, signal: AbortSignal): Promise<void> {
    const heard = new AbortController();
    const wake = (): void => heard.abort();
    this.emitter.on(packageId, wake);
    await pause(CHECK_INTERVAL_MS, [signal, heard.signal]);
    this.emitter.off(packageId, wake);
  }

  private ensureFollowing(): void {
    if (this.isFollowing) return;
    this.isFollowing = true;
    this.work.start(
      (signal) => this.followLog(signal),
      (error) => this.logger.warn(`The event log cannot be followed: ${String(error)}`),
    );
  }

  private async followLog(signal: AbortSignal): Promise<void> {
    const after = await this.store.head();
    for await (const item of this.store.subscribe({ after, types: NEWS_EVENT_TYPES, signal })) {
      if (item.kind !== 'events') continue;
      const ids = item.events.map(packageIdIn);
      for (const packageId of new Set(ids)) this.emitter.emit(packageId);
    }
  }
}

/** The package of an event; empty when the event cannot be read, as nobody waits for news of it. */
function packageIdIn(record: RecordedEvent): string {
  try {
    return replicaEvents.read(record)?.data.packageId ?? '';
  } catch {
    return '';
  }
}
