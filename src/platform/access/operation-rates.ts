import { Injectable } from '@nestjs/common';
import { addressGroup, KeyedLimit } from '../limits/rate-limit.js';
import type { SignedInCaller } from './caller.js';

/** Rates at which operations may start. A script that waits for each answer stays below the rate of an account. */
const ACCOUNT_RATE = { burst: 600, perSecond: 50 };
const ADDRESS_RATE = { burst: 3_000, perSecond: 250 };

/** Limits how many GraphQL operations an account and an address (one /64 network for IPv6) may start. */
@Injectable()
export class OperationRates {
  private readonly byAccount = new KeyedLimit('This account sends too many operations', ACCOUNT_RATE);
  private readonly byAddress = new KeyedLimit('Too many operations come from this address', ADDRESS_RATE);

  /** Counts one operation. @throws Refusal TOO_MANY_REQUESTS */
  countOperation({ principal, address }: Pick<SignedInCaller, 'principal' | 'address'>): void {
    this.byAccount.take(principal.accountId);
    this.byAddress.take(addressGroup(address));
  }
}
