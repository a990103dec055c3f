import { LRUCache } from 'lru-cache';
import { type StreamFold, streamOf } from '../../kernel/decider.js';
import type { DomainEvent } from '../../kernel/events.js';
import type { EventStore } from '../../ports/event-store.port.js';

interface Read<S> {
  readonly state: S;
  readonly next: bigint;
}

/** Folds single streams to where they are now. Remembers those used last, so that just their new events are read. */
export class StreamReader<S extends object, E extends DomainEvent> {
  private readonly known: LRUCache<string, Read<S>>;

  constructor(
    private readonly store: EventStore,
    private readonly fold: StreamFold<S, E>,
    most = 1_000,
  ) {
    this.known = new LRUCache({ max: most });
  }

  async load(id: string): Promise<S> {
    let { state, next } = this.known.get(id) ?? { state: this.fold.initial, next: 0n };
    for await (const record of this.store.readStream(streamOf(this.fold.category, id), next)) {
      const event = this.fold.events.read(record);
      if (event) state = this.fold.evolve(state, event);
      next = record.revision + 1n;
    }
    if ((this.known.get(id)?.next ?? 0n) <= next) this.known.set(id, { state, next });
    return state;
  }
}
