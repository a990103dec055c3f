import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { base64UrlBytes, BaseUrl, LowerUuid, Signature } from '../../../platform/input/parsers.js';
import { wireSchema } from '../../../platform/input/wire-schema.js';
import { verifyEd25519 } from '../../../platform/peer-calls/ed25519.js';
import { KnownKeys } from '../../../platform/peer-calls/known-keys.port.js';
import type { PeerContact } from '../../../ports/peer-directory.port.js';
import { MAX_SMALL_ANSWER_BYTES, PeerTransport } from '../../../ports/peer-transport.port.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';

export const IDENTITY_PATH = '/peer/v1/identity';

const CHALLENGE_BYTES = 32;

/** What a server is asked that is to prove who it is and where it is reached. */
export const IdentityChallenge = wireSchema(
  'question for an identity',
  z.object({ challenge: base64UrlBytes(CHALLENGE_BYTES) }),
);

const IdentityProof = wireSchema(
  'proof of an identity',
  z.object({ serverId: LowerUuid, url: BaseUrl, proof: Signature }),
);

/**
 * The text that a server signs to prove that it is reached at an address. The address is a part of it, so that a server
 * elsewhere cannot pass the question on and give the answer as its own.
 */
const identityText = (serverId: string, url: string, askedBy: string, challenge: string): Buffer =>
  Buffer.from(`odst-identity-v1\n${serverId}\n${url}\n${askedBy}\n${challenge}`);

/** Proves to peers who this server is and where it is reached, and has others prove it. */
@Injectable()
export class AddressProof {
  constructor(
    private readonly identity: ServerIdentity,
    private readonly keys: KnownKeys,
    private readonly transport: PeerTransport,
  ) {}

  /** Answers the question of a peer with the key that it knows. */
  prove(askedBy: string, challenge: string): { serverId: string; url: string; proof: string } {
    const { serverId, url } = this.identity;
    const text = identityText(serverId, url, askedBy, challenge);
    const proof = Buffer.from(this.identity.sign(text, this.keys.keyKnownTo(askedBy))).toString('base64url');
    return { serverId, url, proof };
  }

  /**
   * Asks at an address whether the peer is there. Returns the address at which the server there says that it is reached;
   * null when what answers there is not the peer, or does not prove it.
   * @throws PeerUnreachable when nothing usable answers
   */
  async askAt(url: string, { peerId, name, publicKey }: PeerContact): Promise<string | null> {
    const challenge = randomBytes(CHALLENGE_BYTES).toString('base64url');
    const how = { to: peerId };
    const answer = await this.transport.post({ name, url }, IDENTITY_PATH, { challenge }, MAX_SMALL_ANSWER_BYTES, how);
    const { data, fault } = IdentityProof.read(answer);
    if (fault !== null || data.serverId !== peerId) return null;
    const text = identityText(peerId, data.url, this.identity.serverId, challenge);
    return verifyEd25519(publicKey, text, Buffer.from(data.proof, 'base64url')) ? data.url : null;
  }
}
