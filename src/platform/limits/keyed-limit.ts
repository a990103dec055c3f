import { LRUCache } from 'lru-cache';
import { Refusal } from '../../kernel/refusal.js';
import { TokenBucket } from './token-bucket.js';

/** Of callers that nobody has heard of for longest, the counts are forgotten. */
const MAX_KEYS = 10_000;

interface Rate {
  /** So many at once … */
  readonly burst: number;
  /** … and then so many a second. */
  readonly perSecond: number;
}

/** The same limit for each of many callers, in this process, in bounded memory. */
export class KeyedLimit {
  private readonly buckets = new LRUCache<string, TokenBucket>({ max: MAX_KEYS });

  /** @param what is too much, in the words of the refusal */
  constructor(
    private readonly what: string,
    private readonly rate: Rate,
    private readonly now: () => number = Date.now,
  ) {}

  /** Counts one. @throws Refusal TOO_MANY_REQUESTS with `retryAfterSeconds` when there was none left */
  take(key: string): void {
    if (!this.bucketOf(key).take()) this.refuse();
  }

  /** Counts one that has happened, such as a failure. */
  countOne(key: string): void {
    this.bucketOf(key).take();
  }

  /** Counts nothing. @throws Refusal TOO_MANY_REQUESTS when none is left */
  requireSome(key: string): void {
    if (this.buckets.get(key)?.isEmpty === true) this.refuse();
  }

  private bucketOf(key: string): TokenBucket {
    const known = this.buckets.get(key);
    if (known) return known;
    const made = new TokenBucket(this.rate.burst, this.rate.perSecond, this.now);
    this.buckets.set(key, made);
    return made;
  }

  private refuse(): never {
    const retryAfterSeconds = Math.max(1, Math.ceil(1 / this.rate.perSecond));
    throw new Refusal('TOO_MANY_REQUESTS', `${this.what}. Try again in ${retryAfterSeconds} s.`, { retryAfterSeconds });
  }
}
