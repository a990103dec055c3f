import { isIPv6 } from 'node:net';
import { LRUCache } from 'lru-cache';
import { Refusal } from '../../kernel/errors.js';

/** Token bucket that allows `burst` calls at once and then `perSecond` calls per second on average. */
export class TokenBucket {
  private tokens: number;
  private at: number;

  constructor(
    private readonly burst: number,
    private readonly perSecond: number,
    private readonly now: () => number = Date.now,
  ) {
    this.tokens = burst;
    this.at = now();
  }

  /** Takes one token. Returns false when there is none. */
  take(): boolean {
    if (this.isEmpty) return false;
    this.tokens -= 1;
    return true;
  }

  /** Returns a token, for a call that does not count after all. */
  giveBack(): void {
    this.tokens = Math.min(this.burst, this.tokens + 1);
  }

  get isEmpty(): boolean {
    const now = this.now();
    const elapsed = Math.max(0, now - this.at) / 1000;
    this.tokens = Math.min(this.burst, this.tokens + elapsed * this.perSecond);
    this.at = now;
    return this.tokens < 1;
  }
}

/** Maximum number of callers that are counted. When there are more, the count of the least recent caller is dropped. */
const MAX_KEYS = 10_000;

interface Rate {
  /** Number of calls that are allowed at once. */
  readonly burst: number;
  /** Number of further calls that are allowed per second. */
  readonly perSecond: number;
}

/**
 * Applies the same limit to each of many callers. The counts are in the memory of this process, for up to 10,000
 * callers.
 */
export class KeyedLimit {
  private readonly buckets = new LRUCache<string, TokenBucket>({ max: MAX_KEYS });

  /** @param what begins the message of the refusal and names what there was too much of */
  constructor(
    private readonly what: string,
    private readonly rate: Rate,
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * Counts one call of this caller.
   * @throws Refusal TOO_MANY_REQUESTS with `retryAfterSeconds` when the limit is reached
   */
  take(key: string): void {
    if (!this.bucketOf(key).take()) this.refuseCall();
  }

  /** Counts something that has already happened, such as a failure. It never throws. */
  countOne(key: string): void {
    this.bucketOf(key).take();
  }

  /**
   * Checks the limit of this caller without counting.
   * @throws Refusal TOO_MANY_REQUESTS with `retryAfterSeconds` when the limit is reached
   */
  requireSome(key: string): void {
    if (this.buckets.get(key)?.isEmpty === true) this.refuseCall();
  }

  private bucketOf(key: string): TokenBucket {
    const known = this.buckets.get(key);
    if (known) return known;
    const made = new TokenBucket(this.rate.burst, this.rate.perSecond, this.now);
    this.buckets.set(key, made);
    return made;
  }

  private refuseCall(): never {
    const retryAfterSeconds = Math.max(1, Math.ceil(1 / this.rate.perSecond));
    throw new Refusal('TOO_MANY_REQUESTS', `${this.what}. Try again in ${retryAfterSeconds} s.`, { retryAfterSeconds });
  }
}

/**
 * Returns the key by which limits count an address: an IPv4 address itself, the /64 network of an IPv6 address,
 * because one customer of an internet provider has a whole /64, or `none` for null.
 */
export function addressGroup(address: string | null): string {
  if (address === null || !isIPv6(address)) return address ?? 'none';
  const [head = '', tail = ''] = address.split('::', 2);
  const [before, after] = [head, tail].map((part) => part.split(':').filter(Boolean)) as [string[], string[]];
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
  return [...before, ...zeros, ...after]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
