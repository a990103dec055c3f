import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Refusal } from '../../../kernel/refusal.js';

const FREE_ATTEMPTS = 5;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
const FORGET_AFTER_MS = 15 * 60_000;

/** Slows down guessing: after five failures from one address for one name each further one makes the pause longer. */
@Injectable()
export class FailedAttempts {
  private readonly failures = new LRUCache<string, { count: number; until: number }>({ max: 10_000, ttl: FORGET_AFTER_MS });

  /** @throws Refusal TOO_MANY_REQUESTS while the pause lasts */
  check(key: string, now = Date.now()): void {
    const waitMs = (this.failures.get(key)?.until ?? 0) - now;
    if (waitMs <= 0) return;
    const retryAfterSeconds = Math.ceil(waitMs / 1000);
    throw new Refusal('TOO_MANY_REQUESTS', `Too many failed attempts. Try again in ${retryAfterSeconds} s.`, { retryAfterSeconds });
  }

  failed(key: string, now = Date.now()): void {
    const count = (this.failures.get(key)?.count ?? 0) + 1;
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (count - FREE_ATTEMPTS));
    this.failures.set(key, { count, until: count < FREE_ATTEMPTS ? 0 : now + pause });
  }

  succeeded(key: string): void {
    this.failures.delete(key);
  }
}
