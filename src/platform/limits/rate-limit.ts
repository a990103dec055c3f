import { isIPv6 } from 'node:net';
import { LRUCache } from 'lru-cache';
import { Refusal } from '../../kernel/errors.js';

/** Lets `burst` pass at once and then `perSecond` on average. */
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

  /** Takes one token; false when there is none. */
  take(): boolean {
    if (this.isEmpty) return false;
    this.tokens -= 1;
    return true;
  }

  get isEmpty(): boolean {
    const now = this.now();
    const elapsed = Math.max(0, now - this.at) / 1000;
    this.tokens = Math.min(this.burst, this.tokens + elapsed * this.perSecond);
    this.at = now;
    return this.tokens < 1;
  }
}

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
    if (!this.bucketOf(key).take()) this.refuseCall();
  }

  /** Counts one that has happened, such as a failure. */
  countOne(key: string): void {
    this.bucketOf(key).take();
  }

  /** Counts nothing. @throws Refusal TOO_MANY_REQUESTS when none is left */
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

/** What addresses are counted by: a customer of an internet provider has a whole /64 of IPv6 addresses. */
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
