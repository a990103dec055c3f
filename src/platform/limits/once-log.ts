import type { Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { TokenBucket } from './rate-limit.js';

const MAX_REMEMBERED = 10_000;
const REMEMBERED_MS = 24 * 60 * 60 * 1000;
const MAX_SOURCES = 1_000;
/** Warnings about one source: 100 at once, and then one per minute. */
const WARNINGS = { burst: 100, perSecond: 1 / 60 };

/**
 * Logs warnings about others who repeat themselves: the same one at most once a day, and not many about the same source,
 * so that nobody outside can fill the log.
 */
export class OnceLog {
  private readonly told = new LRUCache<string, true>({ max: MAX_REMEMBERED, ttl: REMEMBERED_MS });
  private readonly buckets = new LRUCache<string, TokenBucket>({ max: MAX_SOURCES });

  constructor(private readonly logger: Pick<Logger, 'warn'>) {}

  /** @param source is who causes the warning, such as the id of a peer */
  warn(source: string, message: string): void {
    const key = JSON.stringify([source, message]);
    if (this.told.has(key) || !this.bucketOf(source).take()) return;
    this.told.set(key, true);
    this.logger.warn(message);
  }

  private bucketOf(source: string): TokenBucket {
    const known = this.buckets.get(source);
    if (known) return known;
    const made = new TokenBucket(WARNINGS.burst, WARNINGS.perSecond);
    this.buckets.set(source, made);
    return made;
  }
}
