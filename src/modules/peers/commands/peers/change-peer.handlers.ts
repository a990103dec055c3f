import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Receipt } from '../../../../platform/cqrs/command-runner.js';
import { PeerChanges } from './peer-changes.js';
import { ResumePeer } from './resume-peer.command.js';
import { SuspendPeer } from './suspend-peer.command.js';
import { UnregisterPeer } from './unregister-peer.command.js';
import { UpdatePeer } from './update-peer.command.js';

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
