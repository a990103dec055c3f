import { Injectable } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { CommandRunner, type Receipt } from '../../../platform/eventsourcing/command-runner.js';
import { LiveViews } from '../../../platform/eventsourcing/live-views.js';
import type { RightsChange } from '../contracts/peer-rights.js';
import { peer, type PeerCommand, type PeerUpdate } from './peer.decider.js';

/** Changes a peer. When a change returns, this process judges calls by the new state. */
@Injectable()
export class PeerChanges {
  constructor(
    private readonly runner: CommandRunner,
    private readonly views: LiveViews,
  ) {}

  /** Runs a command on a peer. @throws Refusal as the decider refuses it */
  async changePeer(peerId: string, command: PeerCommand): Promise<Receipt> {
    const { receipt } = await this.runner.run(peer, peerId, command);
    await this.views.reflect(receipt);
    return receipt;
  }
}

/** Continues the exchange with a suspended peer where it stopped. Refusal: PEER_NOT_FOUND. */
export class ResumePeer extends Command<Receipt> {
  constructor(readonly peerId: string) {
    super();
  }
}

/** Stops the exchange with a peer until it is resumed: its calls are refused and its feed is not read. Refusal: PEER_NOT_FOUND. */
export class SuspendPeer extends Command<Receipt> {
  constructor(readonly peerId: string) {
    super();
  }
}

/** Ends the registration of a peer: its key is no longer accepted. Packages that came from it stay. Refusal: PEER_NOT_FOUND. */
export class UnregisterPeer extends Command<Receipt> {
  constructor(readonly peerId: string) {
    super();
  }
}

/**
 * Changes the name or address of a peer and the policy for it. Fields that are left out stay as they are. Refusals:
 * PEER_NOT_FOUND, INVALID_REQUEST.
 */
export class UpdatePeer extends Command<Receipt> {
  constructor(
    readonly peerId: string,
    readonly to: PeerUpdate,
  ) {
    super();
  }
}

/** Changes what a peer may publish and change on this server. Refusals: PEER_NOT_FOUND, INVALID_REQUEST. */
export class SetPeerRights extends Command<Receipt> {
  constructor(
    readonly peerId: string,
    readonly to: RightsChange,
  ) {
    super();
  }
}

@CommandHandler(SetPeerRights)
export class SetPeerRightsHandler implements ICommandHandler<SetPeerRights> {
  constructor(private readonly changes: PeerChanges) {}

  execute({ peerId, to }: SetPeerRights): Promise<Receipt> {
    return this.changes.changePeer(peerId, { type: 'setRights', to });
  }
}

@CommandHandler(UpdatePeer)
export class UpdatePeerHandler implements ICommandHandler<UpdatePeer> {
  constructor(private readonly changes: PeerChanges) {}

  execute({ peerId, to }: UpdatePeer): Promise<Receipt> {
    return this.changes.changePeer(peerId, { type: 'update', to });
  }
}

@CommandHandler(SuspendPeer)
export class SuspendPeerHandler implements ICommandHandler<SuspendPeer> {
  constructor(private readonly changes: PeerChanges) {}

  execute({ peerId }: SuspendPeer): Promise<Receipt> {
    return this.changes.changePeer(peerId, { type: 'suspend' });
  }
}

@CommandHandler(ResumePeer)
export class ResumePeerHandler implements ICommandHandler<ResumePeer> {
  constructor(private readonly changes: PeerChanges) {}

  execute({ peerId }: ResumePeer): Promise<Receipt> {
    return this.changes.changePeer(peerId, { type: 'resume' });
  }
}

@CommandHandler(UnregisterPeer)
export class UnregisterPeerHandler implements ICommandHandler<UnregisterPeer> {
  constructor(private readonly changes: PeerChanges) {}

  execute({ peerId }: UnregisterPeer): Promise<Receipt> {
    return this.changes.changePeer(peerId, { type: 'unregister' });
  }
}
