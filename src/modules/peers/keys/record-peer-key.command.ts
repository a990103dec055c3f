import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Refusal } from '../../../kernel/errors.js';
import { verifyEd25519 } from '../../../platform/peer-calls/ed25519.js';
import { keyPossessionText } from '../../../platform/peer-calls/signature-format.js';
import { PeerDirectory } from '../../../ports/peer-directory.port.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import { PeerChanges } from '../registry/change-peer.command.js';

/** A key as its server tells of it. */
interface AnnouncedKey {
  /** Raw 32-byte Ed25519 public key, base64url. */
  readonly publicKey: string;
  /** How many keys that server had before. */
  readonly rotation: number;
  /** Signature by the new key over `keyProofText`. */
  readonly proof: Uint8Array;
}

/** A peer has a new key, and proves to hold it; gives the one that is on record now. Refusals: INVALID_REQUEST, PEER_NOT_FOUND. */
export class RecordPeerKey extends Command<string> {
  constructor(
    readonly peerId: string,
    readonly told: AnnouncedKey,
  ) {
    super();
  }
}

/** Doing it twice changes nothing: the peer may not have heard our answer. */
@CommandHandler(RecordPeerKey)
export class RecordPeerKeyHandler implements ICommandHandler<RecordPeerKey> {
  constructor(
    private readonly changes: PeerChanges,
    private readonly identity: ServerIdentity,
    private readonly directory: PeerDirectory,
  ) {}

  async execute({ peerId, told }: RecordPeerKey): Promise<string> {
    const { publicKey, rotation, proof } = told;
    if (!verifyEd25519(publicKey, keyPossessionText(peerId, this.identity.serverId, publicKey, rotation), proof)) {
      throw new Refusal('INVALID_REQUEST', 'The proof is not a signature by the new key.');
    }
    await this.changes.changePeer(peerId, { type: 'rotateKey', publicKey, rotation });
    return (await this.directory.find(peerId))?.publicKey ?? publicKey;
  }
}
