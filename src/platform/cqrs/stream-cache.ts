import { LRUCache } from 'lru-cache';

/** A stream's state, and the revision of the last event in it; null when the stream is not there. */
export interface Folded<S> {
  readonly state: S;
  readonly revision: bigint | null;
}

/** States of the streams used last, so that a long stream is not read anew for each command. */
export class StreamCache {
  private readonly states = new LRUCache<string, Folded<unknown>>({ max: 500 });

  get<S>(stream: string): Folded<S> | undefined {
    // A stream belongs to one aggregate, so what was put in under its name is of its type.
    return this.states.get(stream) as Folded<S> | undefined;
  }

  set<S>(stream: string, folded: Folded<S>): void {
    this.states.set(stream, folded);
  }

  forget(stream: string): void {
    this.states.delete(stream);
  }
}
