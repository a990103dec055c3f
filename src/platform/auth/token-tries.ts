import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { Refusal } from '../../kernel/refusal.js';
import { addressGroup } from '../limits/address-group.js';
import { KeyedLimit } from '../limits/keyed-limit.js';

/** Of tokens that are not valid, from one address. */
const TOKEN_FAILURES = { burst: 100, perSecond: 1 };
const KNOWN_TOKEN_TTL_MS = 10 * 60_000;

const digestToken = (token: string): string => createHash('sha256').update(token).digest('base64');

/**
 * Slows down who shows one invalid token after the other. Whose token was valid a moment ago is not held up by others at
 * the same address, such as a job that goes on with an old one.
 */
export class TokenTries {
  private readonly failures = new KeyedLimit('Too many tokens that are not valid', TOKEN_FAILURES);
  private readonly known = new LRUCache<string, true>({ max: 10_000, ttl: KNOWN_TOKEN_TTL_MS });

  /** @throws Refusal TOO_MANY_REQUESTS; a Refusal of `authenticate` counts as a failure, too */
  async check<T>(token: string, address: string | null, authenticate: () => Promise<T | null>): Promise<T | null> {
    const [key, group] = [digestToken(token), addressGroup(address)];
    if (!this.known.has(key)) this.failures.requireSome(group);
    try {
      const found = await authenticate();
      if (found === null) this.recordFailure(key, group);
      else this.known.set(key, true);
      return found;
    } catch (error) {
      // A database that is away is nobody's fault.
      if (error instanceof Refusal) this.recordFailure(key, group);
      throw error;
    }
  }

  private recordFailure(key: string, group: string): void {
    this.known.delete(key);
    this.failures.countOne(group);
  }
}
