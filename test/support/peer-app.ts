import { Controller, Get, Global, Module, Post, Req } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { DataSource } from 'typeorm';
import { HttpPeerTransport } from '../../src/adapters/peer-transport/http/http-peer-transport.js';
import { WebSocketTunnels } from '../../src/adapters/peer-transport/http/web-socket-tunnels.js';
import { NoDirectory } from '../../src/adapters/directory/no-directory.js';
import { accountProviders } from '../../src/modules/accounts/accounts.module.js';
import { AddressProof } from '../../src/modules/peers/addresses/address-proof.js';
import { AddressController } from '../../src/modules/peers/addresses/address.controller.js';
import { KeyController } from '../../src/modules/peers/keys/key.controller.js';
import { RegistrationController } from '../../src/modules/peers/registration/registration.controller.js';
import { peerProviders, tunnelProviders } from '../../src/modules/peers/peers.module.js';
import { serverProviders } from '../../src/modules/server/server.module.js';
import { AccessModule } from '../../src/platform/access/access.module.js';
import { Needs, Public } from '../../src/platform/access/needs.decorator.js';
import { Settings } from '../../src/platform/runtime/settings.js';
import { currentContext } from '../../src/platform/runtime/call-context.js';
import { LiveViewModule, PlatformCqrsModule } from '../../src/platform/eventsourcing/eventsourcing.module.js';
import { PgListener } from '../../src/platform/runtime/pg-listener.js';
import { HttpModule } from '../../src/platform/http/http.module.js';
import { OdsHttpAdapter } from '../../src/platform/http/ods-http-adapter.js';
import { PeerCallsModule } from '../../src/platform/peer-calls/peer-calls.module.js';
import { PeerCall } from '../../src/platform/peer-calls/peer-call.guard.js';
import { ReadModels } from '../../src/platform/eventsourcing/read-models.js';
import { SecretsModule } from '../../src/platform/secrets/secrets.module.js';
import { EventStore } from '../../src/ports/event-store.port.js';
import { Directory } from '../../src/ports/directory.port.js';
import { Locks } from '../../src/ports/locks.port.js';
import { Database } from '../../src/ports/database.port.js';
import { KnownKeys } from '../../src/platform/peer-calls/known-keys.port.js';
import { SignerKeys } from '../../src/platform/peer-calls/signer-keys.port.js';
import { PeerCallAudit } from '../../src/platform/peer-calls/peer-call-audit.port.js';
import { PeerDirectory } from '../../src/ports/peer-directory.port.js';
import { PeerTransport } from '../../src/ports/peer-transport.port.js';
import { PeerTunnels, TunnelTransport } from '../../src/ports/tunnel-transport.port.js';
import { RequestSigner } from '../../src/ports/request-signer.port.js';
import { ServerIdentity } from '../../src/ports/server-identity.port.js';
import { Principals, RefusedCalls } from '../../src/platform/access/access.port.js';
import { MemoryLocks } from './memory-locks.js';
import { TestDatabasePort } from './test-database.js';
import type { ServerHome } from './trusted-server.js';
import { LOOPBACK_PEERS } from './loopback-peers.js';

/** Says who is calling, behind each kind of door. */
@Controller()
export class ProbeController {
  @Get('probe/session')
  @Needs('read')
  session() {
    return currentContext();
  }

  @Get('probe/public')
  @Public()
  open() {
    return currentContext();
  }

  @Get('probe/peer')
  @PeerCall()
  peer() {
    return currentContext();
  }

  /** Where servers call each other. */
  @Get('/peer/v1/probe')
  @PeerCall()
  probe() {
    return currentContext();
  }

  @Post('probe/peer')
  @PeerCall()
  post(@Req() request: { body: unknown }) {
    return { body: request.body };
  }
}

@Global()
@Module({
  providers: [...serverProviders, ...accountProviders, ...peerProviders, ...tunnelProviders],
  exports: [
    AddressProof,
    ServerIdentity,
    Principals,
    RefusedCalls,
    PeerDirectory,
    KnownKeys,
    SignerKeys,
    PeerCallAudit,
    PeerTunnels,
  ],
})
class Modules {}

const transport = {
  provide: PeerTransport,
  inject: [RequestSigner, PeerTunnels],
  useFactory: (signer: RequestSigner, tunnels: PeerTunnels) => new HttpPeerTransport(signer, LOOPBACK_PEERS, tunnels),
};

const tunnels = {
  provide: TunnelTransport,
  inject: [RequestSigner],
  useFactory: (signer: RequestSigner) => new WebSocketTunnels(signer, LOOPBACK_PEERS),
};

/** A server with what concerns trust, without read models, packages and GraphQL. */
export async function startPeerApp(home: ServerHome, change: Partial<Settings>): Promise<NestExpressApplication> {
  const values = [
    { provide: Settings, useValue: home.settings(change) },
    { provide: EventStore, useValue: home.store },
    { provide: DataSource, useValue: home.dataSource },
    { provide: Database, useValue: new TestDatabasePort(home.databaseSettings) },
    { provide: ReadModels, useValue: { reflect: async () => undefined } },
    { provide: Locks, useValue: new MemoryLocks() },
    { provide: Directory, useClass: NoDirectory },
  ];
  @Global()
  @Module({
    providers: [...values, transport, tunnels, PgListener],
    exports: [
      EventStore,
      DataSource,
      Settings,
      Database,
      PeerTransport,
      TunnelTransport,
      ReadModels,
      Locks,
      Directory,
      PgListener,
    ],
  })
  class Engines {}

  @Module({
    imports: [
      Engines,
      HttpModule,
      SecretsModule,
      LiveViewModule,
      PlatformCqrsModule,
      AccessModule,
      PeerCallsModule,
      Modules,
    ],
    controllers: [ProbeController, RegistrationController, KeyController, AddressController],
  })
  class App {}

  const app = await NestFactory.create<NestExpressApplication>(App, new OdsHttpAdapter(), {
    logger: false,
    abortOnError: false,
  });
  await app.listen(change.port ?? 0, '127.0.0.1');
  return app;
}
