import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { streamOf, type StreamFold } from '../../kernel/decider.js';
import type { DomainEvent } from '../../kernel/events.js';
import { EventStore } from '../../ports/event-store.port.js';
import { foldOrRefuse } from '../failures/failure-kind.js';

/**
 * The number of streams whose states are cached for each fold. The states that were not used for longest are dropped
 * first.
 */
const MAX_STREAMS_PER_FOLD = 5_000;

interface Read {
  readonly state: object;
  /** The revision of the first event that is not folded yet. */
  readonly next: bigint;
}

/**
 * Folds single streams to their present state. All users of a fold share one cache, so that only the events since the
 * last use of the stream are read.
 */
@Injectable()
export class StreamReader {
  private readonly caches = new Map<object, LRUCache<string, Read>>();

  constructor(private readonly store: EventStore) {}

  /**
   * The present state of the stream `<category>-<id>`, or the initial state of the fold when the stream does not exist.
   * @throws UnprocessableEvent when the stream contains an event that cannot be folded
   */
  async load<S extends object, E extends DomainEvent>(fold: StreamFold<S, E>, id: string): Promise<S> {
    const known = this.cacheOf(fold);
    // The cache belongs to this fold, so it contains only states of this fold.
    let { state, next } = (known.get(id) ?? { state: fold.initial, next: 0n }) as { state: S; next: bigint };
    for await (const record of this.store.readStream(streamOf(fold.category, id), next)) {
      state = foldOrRefuse(record, () => {
        const event = fold.events.read(record);
        return event ? fold.evolve(state, event) : state;
      });
      next = record.revision + 1n;
    }
    if ((known.get(id)?.next ?? 0n) <= next) known.set(id, { state, next });
    return state;
  }

  private cacheOf(fold: object): LRUCache<string, Read> {
    const known = this.caches.get(fold) ?? new LRUCache<string, Read>({ max: MAX_STREAMS_PER_FOLD });
    this.caches.set(fold, known);
    return known;
  }
}
