import { Injectable } from '@nestjs/common';
import { Refusal } from '../../../kernel/errors.js';
import type { PeerContact } from '../../../ports/peer-directory.port.js';
import { PeerUnreachable } from '../../../ports/peer-transport.port.js';
import { COPY_ADVICE, SharedIds } from '../contracts/shared-ids.js';
import { AddressProof } from './address-proof.js';

/** Finds out whether a peer that shows up at another address is a copy of it. */
@Injectable()
export class TwinCheck {
  constructor(
    private readonly proof: AddressProof,
    private readonly shared: SharedIds,
  ) {}

  /**
   * A copy of a server has the same id and key, and would take the place of the original. A server that has really moved
   * answers nowhere else, or says also at its former address that it is reached at the new one.
   * @throws Refusal PEER_ID_SHARED
   */
  async refuseTwin(peer: PeerContact, url: string): Promise<void> {
    if (peer.url === url) return;
    const former = await this.proof.askAt(peer.url, peer).catch((error: unknown) => {
      if (error instanceof PeerUnreachable) return null;
      throw error;
    });
    if (former === null || former === url) return;
    this.shared.note(peer, `one is reached at ${former}, and another one says that it is reached at ${url}`);
    throw new Refusal('PEER_ID_SHARED', `Another server, at ${former}, has the same id and key. ${COPY_ADVICE}`);
  }
}
