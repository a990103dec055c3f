import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Refusal } from '../../kernel/errors.js';
import { addressGroup, KeyedLimit, TokenBucket } from '../limits/rate-limit.js';

const WELCOME_TTL_MS = 10 * 60_000;
const MAX_WELCOME = 10_000;

/** Far above what one server can ask for in earnest: for one that has gone wild. */
const makePeerLimits = () => ({
  chunks: new KeyedLimit('Too many requests for chunks', { burst: 20_000, perSecond: 10_000 }),
  feeds: new KeyedLimit('The feed is opened too often', { burst: 60, perSecond: 2 }),
  others: new KeyedLimit('Too many calls', { burst: 5_000, perSecond: 1_000 }),
});

type CallKind = keyof ReturnType<typeof makePeerLimits>;

function kindOf(path: string): CallKind {
  if (/^\/peer\/v1\/packages\/[^/]+\/content/.test(path)) return 'chunks';
  return path.startsWith('/peer/v1/feed') ? 'feeds' : 'others';
}

/**
 * How many calls between servers are let through. Before it is known who calls, only failures count, by address and by the
 * server that the caller says to be: so neither a thousand servers behind one address are held up, nor those of them that
 * are welcome by one that is not.
 */
@Injectable()
export class PeerCallLimits {
  private readonly failures = new KeyedLimit('Too many calls that were not let in', { burst: 100, perSecond: 5 });
  private readonly badRegistrations = new KeyedLimit('Too many registrations that were refused', {
    burst: 20,
    perSecond: 0.2,
  });
  private readonly ofOnePeer = makePeerLimits();
  private readonly registrations = new TokenBucket(1_000, 50);
  private readonly welcome = new LRUCache<string, true>({ max: MAX_WELCOME, ttl: WELCOME_TTL_MS });

  /** @param claimed id of the peer that the caller says to be; null for none that is known here. @throws Refusal TOO_MANY_REQUESTS */
  requireCheckAllowed(address: string | null, claimed: string | null): void {
    const key = keyOf(address, claimed);
    if (!this.welcome.has(key)) this.failures.requireSome(key);
  }

  countFailure(address: string | null, claimed: string | null): void {
    this.failures.countOne(keyOf(address, claimed));
  }

  /** @throws Refusal TOO_MANY_REQUESTS when this peer calls more often than any has to */
  countCall(address: string | null, peerId: string, path: string): void {
    this.welcome.set(keyOf(address, peerId), true);
    this.ofOnePeer[kindOf(path)].take(peerId);
  }

  /** @throws Refusal TOO_MANY_REQUESTS */
  requireRegistrationAllowed(address: string | null): void {
    this.badRegistrations.requireSome(addressGroup(address));
    const retryAfterSeconds = 1;
    if (!this.registrations.take())
      throw new Refusal('TOO_MANY_REQUESTS', 'Too many registrations are asked for. Try again soon.', {
        retryAfterSeconds,
      });
  }

  countFailedRegistration(address: string | null): void {
    this.badRegistrations.countOne(addressGroup(address));
  }
}

const keyOf = (address: string | null, claimed: string | null): string => `${addressGroup(address)} ${claimed ?? '?'}`;
