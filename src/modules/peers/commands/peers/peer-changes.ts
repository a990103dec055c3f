import { Injectable } from '@nestjs/common';
import { CommandRunner, type Receipt } from '../../../../platform/cqrs/command-runner.js';
import { LiveViews } from '../../../../platform/live-view/live-views.js';
import { peer, type PeerCommand } from '../../domain/peer.decider.js';

/** Changes a peer; when it returns, calls are judged by the new state. */
@Injectable()
export class PeerChanges {
  constructor(
    private readonly runner: CommandRunner,
    private readonly views: LiveViews,
  ) {}

  async changePeer(peerId: string, command: PeerCommand): Promise<Receipt> {
    const { receipt } = await this.runner.run(peer, peerId, command);
    await this.views.reflect(receipt);
    return receipt;
  }
}
