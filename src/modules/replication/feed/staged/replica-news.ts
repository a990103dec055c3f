import { EventEmitter, once } from 'node:events';
import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { keepTrying } from '../../../../platform/reactions/keep-trying.js';
import { EventStore } from '../../../../ports/event-store.port.js';
import { replicaEvents } from '../../contracts/replica.events.js';

const TYPES = ['ReplicaRequested', 'ChunksVerified', 'ChunksLost', 'ReplicaPublished', 'ReplicaFailed', 'ReplicaWithdrawn'];
/** A hint may be lost while the log is away. */
const LOOK_AGAIN_MS = 500;

/** One who waits for news of one replica. Close it exactly once. */
export interface NewsWatch {
  /** Resolves when there was news since the last call, and after 0.5 s in any case; at once when the signal aborts. */
  next(signal: AbortSignal): Promise<void>;
  close(): void;
}

/**
 * Tells that something was recorded of our copy of a package, by whichever process. Hints only: what happened stands in
 * the stream. The log is followed from the first question on.
 */
@Injectable()
export class ReplicaNews implements OnModuleDestroy {
  private readonly logger = new Logger('ReplicaNews');
  private readonly emitter = new EventEmitter().setMaxListeners(0);
  private readonly stopping = new AbortController();
  private following: Promise<void> | null = null;

  constructor(private readonly store: EventStore) {}

  watch(packageId: string): NewsWatch {
    this.following ??= this.follow();
    let isNews = false;
    const note = () => {
      isNews = true;
    };
    this.emitter.on(packageId, note);
    return {
      next: async (signal) => {
        const limit = AbortSignal.any([signal, this.stopping.signal, AbortSignal.timeout(LOOK_AGAIN_MS)]);
        if (!isNews) await once(this.emitter, packageId, { signal: limit }).catch(() => undefined);
        isNews = false;
      },
      close: () => this.emitter.off(packageId, note),
    };
  }

  /** Aborts when the server stops: what waits must end before the HTTP server does. */
  get ended(): AbortSignal {
    return this.stopping.signal;
  }

  async onModuleDestroy(): Promise<void> {
    this.stopping.abort();
    await this.following;
  }

  private follow(): Promise<void> {
    const { signal } = this.stopping;
    const work = async () => {
      for await (const item of this.store.subscribe({ after: await this.store.head(), types: TYPES, signal })) {
        if (item.kind !== 'events') continue;
        const ids = item.events.map((record) => replicaEvents.read(record)?.data.packageId ?? '');
        for (const packageId of new Set(ids)) this.emitter.emit(packageId);
      }
    };
    return keepTrying(signal, work, (error) => this.logger.warn(`Cannot follow the log: ${String(error)}`));
  }
}
