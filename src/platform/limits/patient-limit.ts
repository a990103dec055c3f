import { setTimeout as delay } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { Refusal } from '../../kernel/errors.js';
import { Gate } from './gate.js';
import { TokenBucket } from './rate-limit.js';

/** Maximum number of keys that are counted. When there are more, the counts of the least recent key are dropped. */
const MAX_KEYS = 10_000;

interface Patience {
  /** Number of failures without a wait. */
  readonly burst: number;
  /** Number of further failures per second without a wait. */
  readonly perSecond: number;
  /** Time that each failure takes after that, for all checks with the same key. */
  readonly pauseMs: number;
  /** Number of checks with one key that wait at most. */
  readonly maxWaiting: number;
}

/**
 * Slows down failures, and lets in what is right also after any number of failures with the same key. A failure within the
 * limit takes no time. Beyond it, checks with the same key run one after the other, and each failure is followed by a
 * pause. Only who sends more than `maxWaiting` wrong ones at the same time makes others with this key wait longer than a
 * few pauses.
 */
export class PatientLimit {
  private readonly buckets = new LRUCache<string, TokenBucket>({ max: MAX_KEYS });
  private readonly queues = new LRUCache<string, Gate>({ max: MAX_KEYS });

  /** @param what begins the message of the refusal and names what there was too much of */
  constructor(
    private readonly what: string,
    private readonly patience: Patience,
    private readonly pause: (ms: number) => Promise<unknown> = (ms) => delay(ms, undefined, { ref: false }),
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * Runs `check` and returns its result. A result of null, and a Refusal, are failures. Each check counts as a failure until
   * it has succeeded, so that checks side by side gain nothing.
   * @throws Refusal TOO_MANY_REQUESTS instead of a result of null beyond the limit, and when too many checks wait; otherwise
   * what `check` throws
   */
  async check<T>(key: string, check: () => Promise<T | null>): Promise<T | null> {
    const bucket = this.bucketOf(key);
    if (!bucket.take()) return this.queueOf(key).run(() => this.checkSlowly(check), this.refusal);
    let failed = false;
    try {
      const found = await check();
      failed = found === null;
      return found;
    } catch (error) {
      failed = error instanceof Refusal;
      throw error;
    } finally {
      if (!failed) bucket.giveBack();
    }
  }

  private async checkSlowly<T>(check: () => Promise<T | null>): Promise<T> {
    try {
      const found = await check();
      if (found !== null) return found;
    } catch (error) {
      if (error instanceof Refusal) await this.pauseAfterFailure();
      throw error;
    }
    await this.pauseAfterFailure();
    throw this.refusal();
  }

  private async pauseAfterFailure(): Promise<void> {
    if (this.patience.pauseMs > 0) await this.pause(this.patience.pauseMs);
  }

  private readonly refusal = (): Refusal => {
    const { perSecond } = this.patience;
    const retryAfterSeconds = perSecond === 0 ? 1 : Math.max(1, Math.ceil(1 / perSecond));
    return new Refusal('TOO_MANY_REQUESTS', `${this.what}. Try again in ${retryAfterSeconds} s.`, {
      retryAfterSeconds,
    });
  };

  private bucketOf(key: string): TokenBucket {
    const known = this.buckets.get(key);
    if (known) return known;
    const made = new TokenBucket(this.patience.burst, this.patience.perSecond, this.now);
    this.buckets.set(key, made);
    return made;
  }

  private queueOf(key: string): Gate {
    const known = this.queues.get(key);
    if (known) return known;
    const made = new Gate(1, this.patience.maxWaiting);
    this.queues.set(key, made);
    return made;
  }
}
