import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Refusal } from '../../../kernel/errors.js';
import { verifyEd25519 } from '../../../platform/peer-calls/ed25519.js';
import { keyPossessionText } from '../../../platform/peer-calls/signature-format.js';
import type { KeySuccession } from '../../../kernel/introduction.js';
import { PeerDirectory } from '../../../ports/peer-directory.port.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import { provenSuccessions } from '../signers/learn-signers.handler.js';
import { PeerChanges } from '../registry/change-peer.command.js';

/** A new key as its server announces it. */
interface AnnouncedKey {
  /** Raw 32-byte Ed25519 public key, base64url. */
  readonly publicKey: string;
  /** Number of keys that the server had before this one. */
  readonly rotation: number;
  /** Signature over `keyPossessionText` with the new key. */
  readonly proof: Uint8Array;
  /** Proofs that lead to this key from the former ones. Those that are not valid are ignored. */
  readonly successions?: readonly KeySuccession[];
}

/**
 * Records a new key of a peer, which proves to hold it. Results in the key that is on record afterwards. Refusals:
 * INVALID_REQUEST, PEER_NOT_FOUND.
 */
export class RecordPeerKey extends Command<string> {
  constructor(
    readonly peerId: string,
    readonly announced: AnnouncedKey,
  ) {
    super();
  }
}

/** Recording the same key again changes nothing, because the peer may have missed the first answer. */
@CommandHandler(RecordPeerKey)
export class RecordPeerKeyHandler implements ICommandHandler<RecordPeerKey> {
  constructor(
    private readonly changes: PeerChanges,
    private readonly identity: ServerIdentity,
    private readonly directory: PeerDirectory,
  ) {}

  async execute({ peerId, announced }: RecordPeerKey): Promise<string> {
    const { publicKey, rotation, proof } = announced;
    if (!verifyEd25519(publicKey, keyPossessionText(peerId, this.identity.serverId, publicKey, rotation), proof)) {
      throw new Refusal('INVALID_REQUEST', 'The proof is not a signature by the new key.');
    }
    const successions = provenSuccessions(peerId, announced.successions ?? []);
    await this.changes.changePeer(peerId, { type: 'rotateKey', publicKey, rotation, successions });
    return (await this.directory.find(peerId))?.publicKey ?? publicKey;
  }
}
