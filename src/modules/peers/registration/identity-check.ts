import { Injectable } from '@nestjs/common';
import { Refusal } from '../../../kernel/errors.js';
import type { KeySuccession } from '../../../kernel/introduction.js';
import { provenSuccessions } from '../signers/learn-signers.handler.js';
import { LiveSignerKeys } from '../signers/live-signer-keys.js';

/** A server as it wants to be registered. */
interface Claim {
  readonly serverId: string;
  readonly publicKey: string;
  /** Proofs that the key follows a former one. */
  readonly successions?: readonly KeySuccession[];
}

/**
 * Makes sure that nobody is registered as a server that is known with another key, as a peer or by an introduction. A
 * known key that has signed the new one vouches for it.
 */
@Injectable()
export class IdentityCheck {
  constructor(private readonly keys: LiveSignerKeys) {}

  /** @param advice says what the administrator can do who knows that it is the same server @throws Refusal PEER_KEY_CONFLICT */
  requireConsistent({ serverId, publicKey, successions = [] }: Claim, advice: string): void {
    if (this.keys.statusOf(serverId, publicKey, Date.now()) !== 'other key') return;
    if (this.isVouchedFor(serverId, publicKey, provenSuccessions(serverId, successions))) return;
    const name = this.keys.nameOf(serverId);
    const known = name === null ? `The server ${serverId}` : `The server ${name} (${serverId})`;
    throw new Refusal('PEER_KEY_CONFLICT', `${known} is known here with another key. ${advice}`);
  }

  private isVouchedFor(serverId: string, publicKey: string, successions: readonly KeySuccession[]): boolean {
    const isCurrent = (key: string): boolean => this.keys.statusOf(serverId, key, Date.now()) === 'known';
    let key = publicKey;
    for (let steps = successions.length; steps > 0; steps--) {
      const before = successions.find((succession) => succession.publicKey === key)?.previousPublicKey;
      if (before === undefined) return false;
      if (isCurrent(before)) return true;
      key = before;
    }
    return false;
  }
}
