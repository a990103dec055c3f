import { Injectable } from '@nestjs/common';
import { addressGroup, KeyedLimit } from '../limits/rate-limit.js';
import { Settings } from '../runtime/settings.js';
import type { SignedInCaller } from './caller.js';

/** So many seconds of the rate may be used at once. */
const BURST_SECONDS = 12;
/** Several accounts share an address, for example behind a proxy. */
const ACCOUNTS_PER_ADDRESS = 5;

/** The rate at which operations of one account, or of several, may start. */
const rateOf = (perSecond: number) => ({ burst: perSecond * BURST_SECONDS, perSecond });

/** Limits how many GraphQL operations an account and an address (one /64 network for IPv6) may start. */
@Injectable()
export class OperationRates {
  private readonly byAccount: KeyedLimit;
  private readonly byAddress: KeyedLimit;

  constructor({ graphqlRate }: Settings) {
    this.byAccount = new KeyedLimit('This account sends too many operations', rateOf(graphqlRate));
    const perAddress = rateOf(graphqlRate * ACCOUNTS_PER_ADDRESS);
    this.byAddress = new KeyedLimit('Too many operations come from this address', perAddress);
  }

  /** Counts one operation. @throws Refusal TOO_MANY_REQUESTS */
  countOperation({ principal, address }: Pick<SignedInCaller, 'principal' | 'address'>): void {
    this.byAccount.take(principal.accountId);
    this.byAddress.take(addressGroup(address));
  }
}
