import { Injectable } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { PolicyChange } from '../../../kernel/transfer-policy.js';
import { CommandRunner, type Receipt } from '../../../platform/eventsourcing/command-runner.js';
import { LiveViews } from '../../../platform/eventsourcing/live-views.js';
import { peer, type PeerCommand } from './peer.decider.js';

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

/** Goes on with a suspended peer from where it was left. Result: Receipt. */
export class ResumePeer {
  constructor(readonly peerId: string) {}
}

/** Stops the exchange with a peer until it is resumed: its calls are refused and it is no longer followed. Result: Receipt. */
export class SuspendPeer {
  constructor(readonly peerId: string) {}
}

/** Forgets a peer: its key opens nothing any more. What came from it stays. Result: Receipt. */
export class UnregisterPeer {
  constructor(readonly peerId: string) {}
}

/** Changes how we know a peer and what we exchange with it; what is left out stays. Result: Receipt. */
export class UpdatePeer {
  constructor(
    readonly peerId: string,
    readonly to: PolicyChange & { readonly name?: string; readonly url?: string },
  ) {}
}

@CommandHandler(UpdatePeer)
export class UpdatePeerHandler implements ICommandHandler<UpdatePeer, Receipt> {
  constructor(private readonly changes: PeerChanges) {}

  execute({ peerId, to }: UpdatePeer): Promise<Receipt> {
    return this.changes.changePeer(peerId, { type: 'update', to });
  }
}

@CommandHandler(SuspendPeer)
export class SuspendPeerHandler implements ICommandHandler<SuspendPeer, Receipt> {
  constructor(private readonly changes: PeerChanges) {}

  execute({ peerId }: SuspendPeer): Promise<Receipt> {
    return this.changes.changePeer(peerId, { type: 'suspend' });
  }
}

@CommandHandler(ResumePeer)
export class ResumePeerHandler implements ICommandHandler<ResumePeer, Receipt> {
  constructor(private readonly changes: PeerChanges) {}

  execute({ peerId }: ResumePeer): Promise<Receipt> {
    return this.changes.changePeer(peerId, { type: 'resume' });
  }
}

@CommandHandler(UnregisterPeer)
export class UnregisterPeerHandler implements ICommandHandler<UnregisterPeer, Receipt> {
  constructor(private readonly changes: PeerChanges) {}

  execute({ peerId }: UnregisterPeer): Promise<Receipt> {
    return this.changes.changePeer(peerId, { type: 'unregister' });
  }
}
