import { Command, CommandBus, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { z } from 'zod';
import { PublicKey } from '../../../platform/input/parsers.js';
import { wireSchema } from '../../../platform/input/wire-schema.js';
import { keyPossessionText } from '../../../platform/peer-calls/signature-format.js';
import { type PeerContact, PeerDirectory } from '../../../ports/peer-directory.port.js';
import { MAX_SMALL_ANSWER_BYTES, PeerTransport, PeerUnreachable } from '../../../ports/peer-transport.port.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import { LiveKnownKeys } from './live-known-keys.js';
import { RetireKeys } from '../../server/contracts/server-keys.js';
import { PeerChanges } from '../registry/change-peer.command.js';

/** Announces the current key of this server to a peer that does not know it yet. Does nothing for a peer that is suspended or unregistered. */
export class AnnounceKey extends Command<void> {
  constructor(readonly peerId: string) {
    super();
  }
}

const Answer = wireSchema('answer to an announced key', z.object({ publicKey: PublicKey }));

@CommandHandler(AnnounceKey)
export class AnnounceKeyHandler implements ICommandHandler<AnnounceKey> {
  constructor(
    private readonly commands: CommandBus,
    private readonly changes: PeerChanges,
    private readonly directory: PeerDirectory,
    private readonly identity: ServerIdentity,
    private readonly keys: LiveKnownKeys,
    private readonly transport: PeerTransport,
  ) {}

  /** @throws PeerUnreachable when the peer did not record the key; it can be tried again */
  async execute({ peerId }: AnnounceKey): Promise<void> {
    const { publicKey } = this.identity;
    const peer = await this.directory.find(peerId);
    if (!peer || peer.suspended || this.keys.keyKnownTo(peerId) === publicKey) return;
    await this.sendKey(peer, publicKey);
    await this.changes.changePeer(peerId, { type: 'acknowledgeKey', publicKey });
    await this.commands.execute(new RetireKeys(this.keys.keysInUse.at(-1) ?? publicKey));
  }

  /** A crash may have lost the acknowledgement of the peer, so each key that the peer may know is tried for the signature. */
  private async sendKey(peer: PeerContact, publicKey: string): Promise<void> {
    const { serverId, rotation } = this.identity;
    const proof = this.identity.sign(keyPossessionText(serverId, peer.peerId, publicKey, rotation), publicKey);
    const { successions } = this.keys;
    const body = { publicKey, rotation, proof: Buffer.from(proof).toString('base64url'), successions };
    let refused: unknown = null;
    for (const key of new Set([this.keys.keyKnownTo(peer.peerId), ...this.keys.keysInUse])) {
      try {
        const answer = Answer.read(
          await this.transport.postTo(peer, '/peer/v1/key', body, MAX_SMALL_ANSWER_BYTES, key),
        );
        if (answer.data?.publicKey === publicKey) return;
        throw new PeerUnreachable(peer.name, 'did not record the new key of this server');
      } catch (error) {
        refused = error;
        if (!(error instanceof PeerUnreachable) || error.code !== 'PEER_SIGNATURE_INVALID') throw error;
      }
    }
    throw refused;
  }
}
