import { LRUCache } from 'lru-cache';

const MAX_IDS = 50_000;

export type Known = 'new' | 'recorded' | 'elsewhere';

/**
 * Where this process recorded events lately. The server looks for an id only in the stream that it is appended to, and
 * not before all the others of the append: what it would let pass is seen here, if it is not too long ago.
 */
export class RecentIds {
  private readonly streams = new LRUCache<string, string>({ max: MAX_IDS });

  /** 'elsewhere' when some but not all of the ids are known, or some in another stream. */
  find(stream: string, ids: readonly string[]): Known {
    const known = ids.map((id) => this.streams.get(id)).filter((found) => found !== undefined);
    if (known.length === 0) return 'new';
    return known.length === ids.length && known.every((found) => found === stream) ? 'recorded' : 'elsewhere';
  }

  add(stream: string, ids: readonly string[]): void {
    for (const id of ids) this.streams.set(id, stream);
  }
}
