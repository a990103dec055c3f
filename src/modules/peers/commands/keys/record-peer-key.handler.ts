import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Refusal } from '../../../../kernel/refusal.js';
import { verifyEd25519 } from '../../../../platform/peer-auth/signature/ed25519.js';
import { keyProofText } from '../../../../platform/peer-auth/signature/key-proof.js';
import { PeerDirectory } from '../../../../ports/peer-directory.port.js';
import { ServerIdentity } from '../../../../ports/server-identity.port.js';
import { PeerChanges } from '../peers/peer-changes.js';
import { RecordPeerKey } from './record-peer-key.command.js';

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
    if (!verifyEd25519(publicKey, keyProofText(peerId, this.identity.serverId, publicKey, rotation), proof)) {
      throw new Refusal('INVALID_REQUEST', 'The proof is not a signature by the new key.');
    }
    await this.changes.changePeer(peerId, { type: 'rotateKey', publicKey, rotation });
    return (await this.directory.find(peerId))?.publicKey ?? publicKey;
  }
}
