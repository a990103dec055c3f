import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { provideLiveView } from '../../platform/eventsourcing/live-views.js';
import { KnownKeys } from '../../platform/peer-calls/known-keys.port.js';
import { SignerKeys } from '../../platform/peer-calls/signer-keys.port.js';
import { PeerCallAudit } from '../../platform/peer-calls/peer-call-audit.port.js';
import { EventStore } from '../../ports/event-store.port.js';
import { PeerDirectory } from '../../ports/peer-directory.port.js';
import { ServerIdentity } from '../../ports/server-identity.port.js';
import { PeerTunnels } from '../../ports/tunnel-transport.port.js';
import { PeerChangesResolver } from './api/peer-changes.resolver.js';
import { PeerRouteResolver, PeersResolver } from './api/peers.resolver.js';
import { RightsOfPeers } from './contracts/peer-rights.js';
import { SharedIds } from './contracts/shared-ids.js';
import { AddressController } from './addresses/address.controller.js';
import { AddressProof } from './addresses/address-proof.js';
import { AnnounceAddressWorker } from './addresses/announce-address.job.js';
import { AnnounceAddresses } from './addresses/announce-addresses.reaction.js';
import { NotedSharedIds } from './addresses/noted-shared-ids.js';
import { TwinCheck } from './addresses/twin-check.js';
import { TakeOverAddressHandler } from './addresses/take-over-address.command.js';
import { AnnounceKeyHandler } from './keys/announce-key.command.js';
import { AnnounceKeyWorker } from './keys/announce-key.job.js';
import { AnnounceKeys } from './keys/announce-keys.reaction.js';
import { LiveKnownKeys } from './keys/live-known-keys.js';
import { KeyController } from './keys/key.controller.js';
import { RecordPeerKeyHandler } from './keys/record-peer-key.command.js';
import { AcceptInvitationHandler } from './registration/accept-invitation.command.js';
import { CreateInvitationHandler } from './registration/create-invitation.command.js';
import { IdentityCheck } from './registration/identity-check.js';
import { RegisterPeerHandler } from './registration/register-peer.command.js';
import { RegistrationController } from './registration/registration.controller.js';
import {
  PeerChanges,
  ResumePeerHandler,
  SetPeerRightsHandler,
  SuspendPeerHandler,
  UnregisterPeerHandler,
  UpdatePeerHandler,
} from './registry/change-peer.command.js';
import { LivePeerDirectory } from './registry/live-peer-directory.js';
import { PeerEntity } from './registry/peer.entity.js';
import { PeersProjection } from './registry/peers.projection.js';
import { PeerHandler, PeerRouteHandler, PeersHandler } from './registry/peers.query.js';
import { RecordedPeerCalls } from './registry/refused-peer-calls.js';
import { LearnSignersHandler, NoteSigningHandler } from './signers/learn-signers.handler.js';
import { LiveSignerKeys } from './signers/live-signer-keys.js';
import { TunnelGate } from './tunnels/tunnel-gate.js';
import { TunnelHandOver } from './tunnels/tunnel-hand-over.js';
import { TunnelHub } from './tunnels/tunnel-hub.js';
import { TunnelOpener } from './tunnels/tunnel-opener.js';
import { TunnelRoutes } from './tunnels/tunnel-routes.js';
import { TunnelTable } from './tunnels/tunnel-table.js';
import { TunnelledRequests } from './tunnels/tunnelled-requests.js';
import './peers.declarations.js';

const peerEntities = [PeerEntity];

/** The read model of peers and the queries on it. */
@Module({ imports: [TypeOrmModule.forFeature(peerEntities)], providers: [PeersProjection, PeersHandler, PeerHandler] })
export class PeersReadModule {}

const inbound = [
  TunnelHub,
  TunnelTable,
  TunnelRoutes,
  { provide: PeerTunnels, useExisting: TunnelRoutes },
  TunnelGate,
  TunnelHandOver,
];

/** Providers for calls to servers that are not reachable, without the query about them. */
export const tunnelProviders = [...inbound, TunnelledRequests, TunnelOpener];

/** Tunnels: calls to servers that are not reachable. `TunnelOpener` opens tunnels when this server is not reachable itself. */
@Global()
@Module({ providers: [...tunnelProviders, PeerRouteHandler], exports: [PeerTunnels] })
export class TunnelsModule {}

const directory = provideLiveView(LivePeerDirectory, [EventStore], (store) => new LivePeerDirectory(store));

const knownKeys = provideLiveView(LiveKnownKeys, [ServerIdentity], (identity) => new LiveKnownKeys(identity));

const signerKeys = provideLiveView(LiveSignerKeys, [ServerIdentity], (identity) => new LiveSignerKeys(identity));

const handlers = [
  IdentityCheck,
  LearnSignersHandler,
  NoteSigningHandler,
  CreateInvitationHandler,
  AcceptInvitationHandler,
  RegisterPeerHandler,
  UpdatePeerHandler,
  SetPeerRightsHandler,
  SuspendPeerHandler,
  ResumePeerHandler,
  UnregisterPeerHandler,
  RecordPeerKeyHandler,
  AnnounceKeyHandler,
  TakeOverAddressHandler,
];

/** Providers that decide about peers, without the API. */
export const peerProviders = [
  directory,
  { provide: PeerDirectory, useExisting: LivePeerDirectory },
  { provide: RightsOfPeers, useExisting: LivePeerDirectory },
  knownKeys,
  { provide: KnownKeys, useExisting: LiveKnownKeys },
  signerKeys,
  { provide: SignerKeys, useExisting: LiveSignerKeys },
  { provide: PeerCallAudit, useClass: RecordedPeerCalls },
  PeerChanges,
  AddressProof,
  TwinCheck,
  NotedSharedIds,
  { provide: SharedIds, useExisting: NotedSharedIds },
  ...handlers,
];

/** The peers of this server: registration, keys, policies, and whose calls are accepted. */
@Global()
@Module({
  controllers: [RegistrationController, KeyController, AddressController],
  imports: [PeersReadModule],
  exports: [PeerDirectory, RightsOfPeers, SharedIds, KnownKeys, SignerKeys, PeerCallAudit],
  providers: [
    ...peerProviders,
    AnnounceKeyWorker,
    AnnounceKeys,
    AnnounceAddressWorker,
    AnnounceAddresses,
    PeersResolver,
    PeerRouteResolver,
    PeerChangesResolver,
  ],
})
export class PeersModule {}
