import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Global, Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CommandBus, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { FolderPackageStorage } from '../../src/adapters/package-storage/folder/folder-package-storage.js';
import { DownloadGuard } from '../../src/modules/downloads/download-guard.js';
import { DownloadRoutes } from '../../src/modules/downloads/download-routes.js';
import { FileCatalogue } from '../../src/modules/downloads/file-catalogue.js';
import { packageEvents } from '../../src/modules/packages/contracts/package.events.js';
import { foldFacts, isRemoved, type PackageFacts } from '../../src/modules/packages/contracts/package-facts.js';
import {
  type FilenameHolder,
  FilenameHoldersQuery,
  PackagesByIdQuery,
  NamesakesQuery,
  PublishedFileQuery,
  type PublishedFileView,
} from '../../src/modules/packages/contracts/package-queries.js';
import type { Namesake } from '../../src/modules/packages/contracts/filename-date.js';
import type { PackageView } from '../../src/modules/packages/contracts/package-view.js';
import { PackagesWriteModule } from '../../src/modules/packages/packages.module.js';
import type { Stage } from '../../src/kernel/stage.js';
import { Settings } from '../../src/platform/runtime/settings.js';
import { ClockModule } from '../../src/platform/runtime/clock.js';
import { PlatformCqrsModule } from '../../src/platform/eventsourcing/eventsourcing.module.js';
import { HttpModule } from '../../src/platform/http/http.module.js';
import { OdsHttpAdapter, type HttpOptions } from '../../src/platform/http/ods-http-adapter.js';
import { ReadModelChanges } from '../../src/platform/eventsourcing/read-model-changes.js';
import { ReadModels } from '../../src/platform/eventsourcing/read-models.js';
import { EventStore } from '../../src/ports/event-store.port.js';
import { JobQueue, type NewJob } from '../../src/ports/job-queue.port.js';
import { PackageStorage } from '../../src/ports/package-storage.port.js';
import { SignerKeys } from '../../src/platform/peer-calls/signer-keys.port.js';
import { Principals } from '../../src/platform/access/access.port.js';
import { ServerIdentity } from '../../src/ports/server-identity.port.js';
import { RightsOfPeers } from '../../src/modules/peers/contracts/peer-rights.js';
import { KnownRights } from './known-rights.js';
import { NoSignerKeys } from './no-signer-keys.js';
import { NoPrincipals } from './no-principals.js';
import { MemoryEventStore } from './memory-event-store.js';

/** Answers from the log itself, as the read model would once it has caught up. */
@QueryHandler(PublishedFileQuery)
class PublishedFileFromLog implements IQueryHandler<PublishedFileQuery> {
  asked = 0;

  constructor(private readonly store: EventStore) {}

  async execute({ by }: PublishedFileQuery): Promise<PublishedFileView | null> {
    this.asked += 1;
    const served = factsIn(this.store).filter((facts) => !isRemoved(facts));
    const found = served.filter((facts) =>
      'filename' in by ? facts.filename === by.filename : facts.packageId === by.packageId,
    );
    const [last] = found.toSorted((a, b) => (a.publication < b.publication ? 1 : -1));
    return last ? { ...last, lastModified: last.firstPublishedAt, damaged: false } : null;
  }
}

@QueryHandler(FilenameHoldersQuery)
class FilenameHoldersFromLog implements IQueryHandler<FilenameHoldersQuery> {
  constructor(private readonly store: EventStore) {}

  async execute({ filename }: FilenameHoldersQuery): Promise<readonly FilenameHolder[]> {
    return factsIn(this.store)
      .filter((facts) => facts.filename === filename && !isRemoved(facts))
      .map((facts) => ({ ...facts, originId: facts.origin.serverId, originName: facts.origin.name }));
  }
}

@QueryHandler(NamesakesQuery)
class NamesakesFromLog implements IQueryHandler<NamesakesQuery> {
  constructor(private readonly store: EventStore) {}

  async execute({ filename }: NamesakesQuery): Promise<readonly Namesake[]> {
    return factsIn(this.store)
      .filter((facts) => facts.filename === filename)
      .map((facts) => ({ ...facts, isAwaited: false }));
  }
}

@QueryHandler(PackagesByIdQuery)
class PackagesByIdFromLog implements IQueryHandler<PackagesByIdQuery> {
  constructor(private readonly store: EventStore) {}

  async execute({ ids }: PackagesByIdQuery): Promise<readonly (PackageView | null)[]> {
    const views = factsIn(this.store).map((facts): PackageView => ({
      ...facts,
      id: facts.packageId,
      originId: facts.origin.serverId,
      originName: facts.origin.name,
      publishedAt: new Date(facts.firstPublishedAt),
      firstPublishedAt: new Date(facts.firstPublishedAt),
      state: isRemoved(facts) ? 'REMOVED' : 'AVAILABLE',
    }));
    return ids.map((id) => views.find((view) => view.id === id) ?? null);
  }
}

/** What the log says of every package. */
export function factsIn(store: EventStore): PackageFacts[] {
  if (!(store instanceof MemoryEventStore)) throw new Error('not the log of this test');
  const all = new Map<string, PackageFacts | null>();
  for (const record of store.all) {
    const event = packageEvents.read(record);
    if (event) all.set(record.stream, foldFacts(all.get(record.stream) ?? null, event));
  }
  return [...all.values()].filter((facts) => facts !== null);
}

class Identity extends ServerIdentity {
  readonly serverId = 'server-a';
  readonly name = 'Server A';
  readonly url = 'http://localhost';
  readonly stage: Stage = 'Test';
  readonly reachable = true;
  readonly publicKey = '';
  sign(): Uint8Array {
    return new Uint8Array(64);
  }
}

/** Forgets at once what any command changed. */
class Changes {
  private readonly listeners = new Set<(keys: null) => void>();
  subscribe(_name: string, listener: (keys: null) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }
  async reflect(): Promise<void> {
    for (const listener of this.listeners) listener(null);
  }
}

type AppSettings = Pick<Settings, 'accelRedirect'>;

@Global()
@Module({})
class Engines {
  static with(
    storage: FolderPackageStorage,
    store: MemoryEventStore,
    settings: AppSettings,
    jobs: NewJob[],
  ): DynamicModule {
    const changes = new Changes();
    const queue = { enqueue: async (added: readonly NewJob[]) => void jobs.push(...added) };
    const engines = [
      { provide: PackageStorage, useValue: storage },
      { provide: Settings, useValue: { acceptsUnsignedFacts: true, ...settings } },
      { provide: SignerKeys, useClass: NoSignerKeys },
      { provide: RightsOfPeers, useValue: new KnownRights() },
      { provide: EventStore, useValue: store },
      { provide: JobQueue, useValue: queue },
      { provide: ServerIdentity, useClass: Identity },
      { provide: Principals, useClass: NoPrincipals },
      { provide: ReadModelChanges, useValue: changes },
      { provide: ReadModels, useValue: changes },
    ];
    return { module: Engines, providers: engines, exports: engines };
  }
}

@Module({
  imports: [PackagesWriteModule],
  providers: [PublishedFileFromLog, FilenameHoldersFromLog, NamesakesFromLog, PackagesByIdFromLog],
})
class Packages {}

/** Downloads that are open to everybody: what protects them keeps its state in a database. */
@Module({ providers: [DownloadRoutes, FileCatalogue, { provide: DownloadGuard, useValue: { isOpen: true } }] })
class OpenDownloads {}

@Module({})
class App {}

/** Uploads and downloads over real HTTP and real files, with the log in memory and nobody asked who they are. */
export async function startPackageApp(settings: AppSettings = { accelRedirect: null }, http: HttpOptions = {}) {
  const dataDir = await mkdtemp(join(tmpdir(), 'ods-app-'));
  const storage = await FolderPackageStorage.openFolder(dataDir);
  const store = new MemoryEventStore();
  /** What was enqueued. */
  const jobs: NewJob[] = [];
  const imports = [
    Engines.with(storage, store, settings, jobs),
    HttpModule,
    ClockModule,
    PlatformCqrsModule,
    OpenDownloads,
    Packages,
  ];
  const app = await NestFactory.create({ module: App, imports }, new OdsHttpAdapter(http), { logger: false });
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address();
  return {
    url: `http://127.0.0.1:${port}`,
    port: Number(port),
    server: app.getHttpServer(),
    store,
    storage,
    jobs,
    commands: app.get(CommandBus),
    changes: app.get<Changes>(ReadModelChanges),
    questions: app.get(PublishedFileFromLog),
    staging: () => readdir(join(dataDir, 'staging')),
    packages: () => readdir(join(dataDir, 'packages')),
    dataDir,
    async stop() {
      await app.close();
      await storage.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

export type PackageApp = Awaited<ReturnType<typeof startPackageApp>>;
