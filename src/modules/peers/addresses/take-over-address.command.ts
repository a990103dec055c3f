import { Logger } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Refusal } from '../../../kernel/errors.js';
import { type PeerContact, PeerDirectory } from '../../../ports/peer-directory.port.js';
import { PeerUnreachable } from '../../../ports/peer-transport.port.js';
import { PeerChanges } from '../registry/change-peer.command.js';
import { AddressProof } from './address-proof.js';
import { TwinCheck } from './twin-check.js';

/**
 * Takes over a new address that a peer has announced, when the peer answers there. Results in the address that is on record
 * afterwards. Refusals: PEER_NOT_FOUND, PEER_ADDRESS_UNCONFIRMED, PEER_ID_SHARED.
 */
export class TakeOverAddress extends Command<string> {
  constructor(
    readonly peerId: string,
    readonly url: string,
  ) {
    super();
  }
}

/** Taking over the same address again changes nothing, because the peer may have missed the first answer. */
@CommandHandler(TakeOverAddress)
export class TakeOverAddressHandler implements ICommandHandler<TakeOverAddress> {
  private readonly logger = new Logger('Peers');

  constructor(
    private readonly changes: PeerChanges,
    private readonly directory: PeerDirectory,
    private readonly proof: AddressProof,
    private readonly twins: TwinCheck,
  ) {}

  async execute({ peerId, url }: TakeOverAddress): Promise<string> {
    const peer = await this.directory.find(peerId);
    if (!peer) throw new Refusal('PEER_NOT_FOUND', 'There is no such peer.');
    if (peer.url === url) return url;
    await this.requireAnswer(peer, url);
    await this.twins.refuseTwin(peer, url);
    await this.changes.changePeer(peerId, { type: 'move', url });
    return url;
  }

  private async requireAnswer(peer: PeerContact, url: string): Promise<void> {
    let reason = 'another server answers there';
    try {
      if ((await this.proof.askAt(url, peer)) === url) return;
    } catch (error) {
      if (!(error instanceof PeerUnreachable)) throw error;
      ({ reason } = error);
    }
    this.logger.warn(
      `${peer.name} announced the new address ${url}, but it does not answer there: ${reason}. It keeps the address ${peer.url} here.`,
    );
    throw new Refusal('PEER_ADDRESS_UNCONFIRMED', 'This server cannot call the calling server at its new address.');
  }
}
