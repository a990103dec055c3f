import { Logger } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { messageOf, Refusal } from '../../../kernel/errors.js';
import { type PeerContact, PeerDirectory } from '../../../ports/peer-directory.port.js';
import { PeerUnreachable } from '../../../ports/peer-transport.port.js';
import { PeerChanges } from '../registry/change-peer.command.js';
import { AddressProof } from './address-proof.js';

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
  ) {}

  async execute({ peerId, url }: TakeOverAddress): Promise<string> {
    const peer = await this.directory.find(peerId);
    if (!peer) throw new Refusal('PEER_NOT_FOUND', 'There is no such peer.');
    if (peer.url === url) return url;
    await this.requireAnswer(peer, url);
    await this.refuseTwin(peer, url);
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

  /**
   * A copy of a server has the same id and key, and would take the place of the original. A server that has really moved
   * answers nowhere else, or says also at its former address that it is reached at the new one.
   */
  private async refuseTwin(peer: PeerContact, url: string): Promise<void> {
    const former = await this.proof.askAt(peer.url, peer).catch((error: unknown) => {
      this.logger.debug(`${peer.name} does not answer at its former address ${peer.url}: ${messageOf(error)}`);
      return null;
    });
    if (former === null || former === url) return;
    this.logger.error(
      `Two servers have the id and the key of ${peer.name}: one is reached at ${former}, and another one announced the address ${url}. One is a copy of the other, and needs an identity of its own: see docs/how-to/connect-servers.md.`,
    );
    throw new Refusal(
      'PEER_ID_SHARED',
      'Another server has the same id and key. One of the two is a copy of the other.',
    );
  }
}
