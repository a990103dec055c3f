import { Global, Module } from '@nestjs/common';
import { LiveViews } from '../../platform/live-view/live-views.js';
import { EventStore } from '../../ports/event-store.port.js';
import { PeerCallAudit } from '../../ports/peer-call-audit.port.js';
import { PeerDirectory } from '../../ports/peer-directory.port.js';
import { PeerChangesResolver } from './api/peer-changes.resolver.js';
import { PeerContactResolver } from './api/peer-contact.resolver.js';
import { PeerSyncResolver } from './api/peer-sync.resolver.js';
import { PeerRouteResolver } from './api/peer-way.resolver.js';
import { PeersResolver } from './api/peers.resolver.js';
import { KeyController } from './api/key.controller.js';
import { RegistrationController } from './api/registration.controller.js';
import { AcceptInvitationHandler } from './commands/invitations/accept-invitation.handler.js';
import { CreateInvitationHandler } from './commands/invitations/create-invitation.handler.js';
import { RegisterPeerHandler } from './commands/invitations/register-peer.handler.js';
import {
  ResumePeerHandler,
  SuspendPeerHandler,
  UnregisterPeerHandler,
  UpdatePeerHandler,
} from './commands/peers/change-peer.handlers.js';
import { AnnounceKeyHandler } from './commands/keys/announce-key.handler.js';
import { RecordPeerKeyHandler } from './commands/keys/record-peer-key.handler.js';
import { PeerChanges } from './commands/peers/peer-changes.js';
import { LivePeerDirectory } from './directory/live-peer-directory.js';
import { RecordedPeerCalls } from './directory/recorded-peer-calls.js';
import { AnnounceKeyWorker } from './jobs/announce-key.worker.js';
import { PeersReadModule } from './peers-read.module.js';
import { AnnounceKeys } from './reactions/announce-keys.js';

const directory = {
  provide: PeerDirectory,
  inject: [LiveViews, EventStore],
  async useFactory(views: LiveViews, store: EventStore) {
    const peers = new LivePeerDirectory(store);
    await views.follow(peers);
    return peers;
  },
};

const handlers = [
  CreateInvitationHandler,
  AcceptInvitationHandler,
  RegisterPeerHandler,
  UpdatePeerHandler,
  SuspendPeerHandler,
  ResumePeerHandler,
  UnregisterPeerHandler,
  RecordPeerKeyHandler,
  AnnounceKeyHandler,
];

/** What decides about peers, without what shows them. */
export const peerProviders = [
  directory,
  { provide: PeerCallAudit, useClass: RecordedPeerCalls },
  PeerChanges,
  ...handlers,
];

/** Other servers: who they are and whether they are let in. */
@Global()
@Module({
  controllers: [RegistrationController, KeyController],
  imports: [PeersReadModule],
  exports: [PeerDirectory, PeerCallAudit, AnnounceKeys],
  providers: [
    ...peerProviders,
    AnnounceKeyWorker,
    AnnounceKeys,
    PeersResolver,
    PeerRouteResolver,
    PeerSyncResolver,
    PeerContactResolver,
    PeerChangesResolver,
  ],
})
export class PeersModule {}
