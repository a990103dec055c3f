import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { type Stamp, stampMs } from '../../../kernel/hybrid-clock.js';
import { verifyEd25519 } from '../../../platform/peer-calls/ed25519.js';
import { SignerKeys } from '../../../platform/peer-calls/signer-keys.port.js';
import { Settings } from '../../../platform/runtime/settings.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import { MIN_CORRECTION_MS } from '../../peers/contracts/signers.js';
import { factText, type SignedFact, stampOf } from '../contracts/signed-facts.js';
import type { ProofVerdict, Trust } from './judge-peer-facts.js';

/** Signatures that were checked and need no second check, because several peers pass on the same ones. */
const MAX_REMEMBERED = 5_000;

/** Checks signed facts with the keys that this server knows, and says which unsigned ones it accepts. */
@Injectable()
export class FactTrust implements Trust {
  private readonly checked = new LRUCache<string, boolean>({ max: MAX_REMEMBERED });

  constructor(
    private readonly keys: SignerKeys,
    private readonly identity: ServerIdentity,
    private readonly settings: Settings,
  ) {}

  get ownServerId(): string {
    return this.identity.serverId;
  }

  verdictOf(proof: SignedFact): ProofVerdict {
    if (!this.isSignatureValid(proof)) return 'forged';
    const { statement, publicKey } = proof;
    const status = this.keys.statusOf(statement.serverId, publicKey, stampMs(stampOf(statement)));
    if (status === 'known') return 'verified';
    return status === 'server unknown' ? 'key unknown' : 'forged';
  }

  allowsUnsigned(serverId: string | null, stamp: Stamp | null): boolean {
    if (!this.settings.acceptsUnsignedFacts) return false;
    const since = serverId === null ? null : this.keys.signsSince(serverId);
    return since === null || stamp === null || stampMs(stamp) < stampMs(since);
  }

  /** Whether this verified statement tells that its server signs, or signed earlier than was known. */
  isNewSigner(proof: SignedFact): boolean {
    const { serverId } = proof.statement;
    if (serverId === this.ownServerId || this.verdictOf(proof) !== 'verified') return false;
    const since = this.keys.signsSince(serverId);
    return since === null || stampMs(stampOf(proof.statement)) <= stampMs(since) - MIN_CORRECTION_MS;
  }

  private isSignatureValid({ statement, publicKey, signature }: SignedFact): boolean {
    const text = factText(statement);
    // The text is part of the key, because a signature says nothing without what it signs.
    const key = `${publicKey} ${signature} ${text.toString('utf8')}`;
    const known = this.checked.get(key);
    if (known !== undefined) return known;
    const valid = verifyEd25519(publicKey, text, Buffer.from(signature, 'base64url'));
    this.checked.set(key, valid);
    return valid;
  }
}
