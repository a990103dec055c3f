import { Global, Logger, Module, type DynamicModule } from '@nestjs/common';
import type { Queue } from 'bull';
import { LdapDirectory } from '../adapters/directory/ldap/ldap-directory.js';
import { NoDirectory } from '../adapters/directory/no-directory.js';
import { BullJobQueue } from '../adapters/job-queue/bull/bull-job-queue.js';
import { BULL_QUEUE, bullQueueModule } from '../adapters/job-queue/bull/bull-queue.module.js';
import { GraphileJobQueue } from '../adapters/job-queue/graphile/graphile-job-queue.js';
import { FolderPackageStorage } from '../adapters/package-storage/folder/folder-package-storage.js';
import { HttpPeerTransport } from '../adapters/peer-transport/http/http-peer-transport.js';
import type { Trust } from '../adapters/peer-transport/http/json-calls.js';
import { addressRulesOf } from '../adapters/peer-transport/http/peer-addresses.js';
import { WebSocketTunnels } from '../adapters/peer-transport/http/web-socket-tunnels.js';
import { Settings } from '../platform/runtime/settings.js';
import { GuardedDirectory } from '../platform/limits/guarded-directory.js';
import { Database } from '../ports/database.port.js';
import { Directory } from '../ports/directory.port.js';
import { EventStore } from '../ports/event-store.port.js';
import { JobQueue } from '../ports/job-queue.port.js';
import { Locks } from '../ports/locks.port.js';
import { PackageStorage } from '../ports/package-storage.port.js';
import { PeerTransport } from '../ports/peer-transport.port.js';
import { PeerTunnels, TunnelTransport } from '../ports/tunnel-transport.port.js';
import { RequestSigner } from '../ports/request-signer.port.js';
import { ServerIdentity } from '../ports/server-identity.port.js';

const logJobs = (level: 'warn' | 'error', message: string): void => new Logger('Jobs')[level](message);

const graphileQueue = {
  provide: JobQueue,
  inject: [Database],
  useFactory: (database: Database) => new GraphileJobQueue(database.settings, logJobs),
};

const bullQueue = {
  provide: JobQueue,
  inject: [BULL_QUEUE],
  useFactory: (queue: Queue) => new BullJobQueue(queue, logJobs),
};

const packageStorage = {
  provide: PackageStorage,
  inject: [Settings],
  useFactory: (settings: Settings) => FolderPackageStorage.openFolder(settings.dataDir),
};

const trustOf = (identity: ServerIdentity, settings: Settings): Trust => ({
  // The address of this server can change while it runs.
  addresses: () => addressRulesOf(identity.url, settings.allowedPeerAddresses),
  proxies: { https: settings.httpsProxy, http: settings.httpProxy, exceptions: settings.noProxy },
});

const peerTransport = {
  provide: PeerTransport,
  inject: [RequestSigner, PeerTunnels, ServerIdentity, Settings],
  useFactory: (signer: RequestSigner, tunnels: PeerTunnels, identity: ServerIdentity, settings: Settings) =>
    new HttpPeerTransport(signer, trustOf(identity, settings), tunnels),
};

const tunnelTransport = {
  provide: TunnelTransport,
  inject: [RequestSigner, ServerIdentity, Settings],
  useFactory: (signer: RequestSigner, identity: ServerIdentity, settings: Settings) =>
    new WebSocketTunnels(signer, trustOf(identity, settings)),
};

const directory = {
  provide: Directory,
  inject: [Settings],
  useFactory: ({ directory: settings }: Settings) =>
    new GuardedDirectory(settings ? new LdapDirectory(settings) : new NoDirectory()),
};

/** The engines that have to run before the server is assembled. */
export interface StartedEngines {
  readonly settings: Settings;
  readonly database: Database;
  readonly store: EventStore;
  readonly locks: Locks;
}

/** Chooses the engine behind each port. Nothing outside this folder and the adapters knows which one runs. */
@Global()
@Module({})
export class EnginesModule {
  static forRoot({ settings, database, store, locks }: StartedEngines): DynamicModule {
    const values = [
      { provide: Settings, useValue: settings },
      { provide: Database, useValue: database },
      { provide: EventStore, useValue: store },
      { provide: Locks, useValue: locks },
    ];
    const { redisUrl } = settings;
    return {
      module: EnginesModule,
      imports: redisUrl === null ? [] : [bullQueueModule(redisUrl, logJobs)],
      providers: [
        ...values,
        redisUrl === null ? graphileQueue : bullQueue,
        packageStorage,
        peerTransport,
        tunnelTransport,
        directory,
      ],
      exports: [
        Settings,
        Database,
        EventStore,
        Locks,
        JobQueue,
        PackageStorage,
        PeerTransport,
        TunnelTransport,
        Directory,
      ],
    };
  }
}
