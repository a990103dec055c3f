import { LRUCache } from 'lru-cache';
import { type StreamFold, streamOf } from '../../kernel/decider.js';
import type { DomainEvent } from '../../kernel/events.js';
import type { EventStore } from '../../ports/event-store.port.js';

interface FoldedStream<S> {
  readonly state: S;
  /** Revision of the next event of the stream. */
  readonly next: bigint;
}

const MAX_REMEMBERED_STREAMS = 5_000;

/** Folds single streams up to their last event. It remembers the streams used last and reads only their new events. */
export class StreamReader<S extends object, E extends DomainEvent> {
  private readonly remembered = new LRUCache<string, FoldedStream<S>>({ max: MAX_REMEMBERED_STREAMS });

  constructor(
    private readonly store: EventStore,
    private readonly fold: StreamFold<S, E>,
  ) {}

  /** The state of the stream `<category>-<id>` with all events that are in the store now. */
  async load(id: string): Promise<S> {
    let { state, next } = this.remembered.get(id) ?? { state: this.fold.initial, next: 0n };
    for await (const record of this.store.readStream(streamOf(this.fold.category, id), next)) {
      const event = this.fold.events.read(record);
      if (event) state = this.fold.evolve(state, event);
      next = record.revision + 1n;
    }
    if ((this.remembered.get(id)?.next ?? 0n) <= next) this.remembered.set(id, { state, next });
    return state;
  }
}

const sharedReaders = new WeakMap<EventStore, Map<unknown, unknown>>();

/**
 * The one reader of this fold on this store. All who ask share it, so a stream is remembered once per process,
 * however many parts of the program need its state.
 */
export function sharedStreamReader<S extends object, E extends DomainEvent>(
  store: EventStore,
  fold: StreamFold<S, E>,
): StreamReader<S, E> {
  const readers = sharedReaders.get(store) ?? new Map<unknown, unknown>();
  sharedReaders.set(store, readers);
  const reader = readers.get(fold) ?? new StreamReader(store, fold);
  readers.set(fold, reader);
  // What is stored under a fold was made for that fold, so it has the types of it.
  return reader as StreamReader<S, E>;
}
