import { EventEmitter, once } from 'node:events';
import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { RecordedEvent } from '../../kernel/events.js';
import { EventStore } from '../../ports/event-store.port.js';
import type { Receipt } from './command-runner.js';
import { logFailure, RestartingWork } from '../runtime/restarting-work.js';
import { type FailureRecord, readerOf, UnprocessableEvents } from '../failures/unprocessable-events.js';

/** A small state that is kept in memory and folded from the log at every start, because every call needs it. */
export interface LiveView {
  /** Names the view in the log output. */
  readonly name: string;
  readonly eventTypes: readonly string[];
  /** Applies the next event to the state. An event for which it throws is recorded as unprocessable and left out. */
  fold(event: RecordedEvent): void;
}

interface Followed {
  readonly view: LiveView;
  cursor: string | null;
  /** The ids of the events that could not be folded since the view was followed. */
  readonly failed: Set<string>;
}

/** What live views need to record the events that they cannot fold, and those that they can fold after all. */
export type ViewFailures = FailureRecord & Pick<UnprocessableEvents, 'findOf' | 'noteProcessed'>;

/** The longest time for which `reflect` waits. */
const REFLECT_TIMEOUT_MS = 5_000;

/** Keeps live views up to date with the log. */
@Injectable()
export class LiveViews implements OnApplicationShutdown {
  private readonly logger = new Logger('LiveViews');
  private readonly work = new RestartingWork();
  private readonly moved = new EventEmitter().setMaxListeners(0);
  private readonly followed: Followed[] = [];

  constructor(
    private readonly store: EventStore,
    @Inject(UnprocessableEvents) private readonly failures: ViewFailures,
  ) {}

  /**
   * Starts to follow the log. Resolves when the view contains everything that is in the log now; it continues after
   * that.
   */
  follow(view: LiveView): Promise<void> {
    const followed: Followed = { view, cursor: null, failed: new Set() };
    this.followed.push(followed);
    return new Promise((resolve) => {
      const onFailure = logFailure(this.logger, `The live view "${view.name}"`);
      this.work.start((signal) => this.followLog(followed, signal, resolve), onFailure);
    });
  }

  /** Resolves when every view that folds these events has folded them, and after 5 s at the latest. */
  async reflect({ cursor, types }: Receipt): Promise<void> {
    const affected = this.followed.filter(({ view }) => view.eventTypes.some((type) => types.includes(type)));
    const signal = AbortSignal.timeout(REFLECT_TIMEOUT_MS);
    while (affected.some((followed) => this.store.compareCursors(followed.cursor, cursor) < 0)) {
      await once(this.moved, 'moved', { signal }).catch(() => undefined);
      if (signal.aborted) return;
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.work.stop();
  }

  private async followLog(followed: Followed, signal: AbortSignal, onCaughtUp: () => void): Promise<void> {
    const { view, cursor: after } = followed;
    for await (const item of this.store.subscribe({ after, types: view.eventTypes, signal })) {
      if (item.kind === 'events') await this.foldEvents(followed, item.events);
      followed.cursor = item.cursor;
      this.moved.emit('moved');
      if (item.kind !== 'caughtUp') continue;
      onCaughtUp();
      void this.noteProcessed(followed);
    }
  }

  /** All views of a process fold in memory, so an error is the fault of the event. */
  private async foldEvents({ view, failed }: Followed, events: readonly RecordedEvent[]): Promise<void> {
    for (const record of events) {
      try {
        view.fold(record);
      } catch (error) {
        if (failed.has(record.id)) continue;
        failed.add(record.id);
        // The view goes on although the failure cannot be recorded now: the next start meets the event again.
        await this.failures
          .note({ reader: readerOf.view(view.name), record, error })
          .catch((reason: unknown) => this.logger.error(`${view.name}: ${String(error)}; ${String(reason)}`));
      }
    }
  }

  /** The view was folded from the beginning, so what has not failed now is processed. */
  private async noteProcessed({ view, failed }: Followed): Promise<void> {
    const reader = readerOf.view(view.name);
    try {
      const before = await this.failures.findOf(reader);
      const processed = before.filter(({ eventId }) => !failed.has(eventId)).map(({ eventId }) => eventId);
      await this.failures.noteProcessed(reader, processed);
    } catch (error) {
      this.logger.debug(`${view.name}: ${String(error)}`);
    }
  }
}

type Class<T> = abstract new (...args: never[]) => T;

/**
 * Provides a live view that is up to date before anything that needs it is made. `inject` names the classes of what
 * `make` takes.
 */
export const provideLiveView = <View, Parts extends readonly unknown[]>(
  provide: Class<View>,
  inject: { readonly [I in keyof Parts]: Class<Parts[I]> },
  make: (...parts: Parts) => View & LiveView,
) => ({
  provide,
  inject: [LiveViews, ...inject],
  async useFactory(views: LiveViews, ...parts: Parts): Promise<View> {
    const view = make(...parts);
    await views.follow(view);
    return view;
  },
});
