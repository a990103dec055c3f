import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Refusal } from '../../kernel/errors.js';
import { addressGroup, KeyedLimit, TokenBucket } from '../limits/rate-limit.js';

/** For this time after an accepted call, failures do not block the peer at this address. */
const WELCOME_TTL_MS = 10 * 60_000;
/** The most pairs of address and peer that are remembered as accepted. */
const MAX_WELCOME = 10_000;

/** Limits for one peer. They are far above what a server needs, and stop only a server that is out of control. */
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
 * Limits the calls between servers, in this process. Before a caller is verified, only its failures count, for each
 * pair of address and claimed peer id. So many servers behind one address do not hit the limit together, and a server
 * that fails does not block the others at its address.
 */
@Injectable()
export class PeerCallLimits {
  private readonly failures = new KeyedLimit('Too many refused calls', { burst: 100, perSecond: 5 });
  private readonly badRegistrations = new KeyedLimit('Too many registrations that were refused', {
    burst: 20,
    perSecond: 0.2,
  });
  private readonly ofOnePeer = makePeerLimits();
  private readonly registrations = new TokenBucket(1_000, 50);
  private readonly welcome = new LRUCache<string, true>({ max: MAX_WELCOME, ttl: WELCOME_TTL_MS });

  /**
   * Refuses a caller that has failed too often, before its signature is verified.
   * @param claimed is the id of the registered peer that the caller claims to be; null when there is no such peer
   * @throws Refusal TOO_MANY_REQUESTS
   */
  requireCheckAllowed(address: string | null, claimed: string | null): void {
    const key = keyOf(address, claimed);
    if (!this.welcome.has(key)) this.failures.requireSome(key);
  }

  /** Counts a call that was refused. See `requireCheckAllowed` for the parameters. */
  countFailure(address: string | null, claimed: string | null): void {
    this.failures.countOne(keyOf(address, claimed));
  }

  /** Counts an accepted call of a peer. @throws Refusal TOO_MANY_REQUESTS when the peer exceeds its limit */
  countCall(address: string | null, peerId: string, path: string): void {
    this.welcome.set(keyOf(address, peerId), true);
    this.ofOnePeer[kindOf(path)].take(peerId);
  }

  /**
   * Counts a request for registration.
   * @throws Refusal TOO_MANY_REQUESTS when the address has failed too often, or there are too many requests in total
   */
  requireRegistrationAllowed(address: string | null): void {
    this.badRegistrations.requireSome(addressGroup(address));
    const retryAfterSeconds = 1;
    if (!this.registrations.take())
      throw new Refusal('TOO_MANY_REQUESTS', 'There are too many requests for registrations. Try again soon.', {
        retryAfterSeconds,
      });
  }

  /** Counts a registration that was refused. */
  countFailedRegistration(address: string | null): void {
    this.badRegistrations.countOne(addressGroup(address));
  }
}

const keyOf = (address: string | null, claimed: string | null): string => `${addressGroup(address)} ${claimed ?? '?'}`;
