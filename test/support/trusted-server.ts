import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { PostgresEventStore } from '../../src/adapters/event-store/postgres/postgres-event-store.js';
import { dataSourceOptions } from '../../src/server/boot/data-source.js';
import type { RecordedEvent } from '../../src/kernel/events.js';
import { KeyRing } from '../../src/platform/secrets/key-ring.js';
import { loadIdentity } from '../../src/modules/server/load-identity.js';
import type { Settings } from '../../src/platform/runtime/settings.js';
import { LiveViews } from '../../src/platform/eventsourcing/live-views.js';
import { UnprocessableEvents } from '../../src/platform/failures/unprocessable-events.js';
import { ServerSecrets } from '../../src/platform/secrets/server-secrets.js';
import type { EventStore } from '../../src/ports/event-store.port.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';

const UNSET: Settings = {
  port: 8080,
  dataDir: '',
  url: null,
  name: null,
  stage: null,
  reachable: null,
  adminPassword: null,
  secretKey: null,
  databaseUrl: null,
  eventStoreUrl: null,
  redisUrl: null,
  directory: null,
  role: 'all',
  tls: null,
  hstsSeconds: 0,
  introspection: true,
  trustedProxies: [],
  allowedPeerAddresses: [],
  httpsProxy: null,
  httpProxy: null,
  noProxy: [],
  accelRedirect: null,
  withdrawnGraceMs: 0,
  stopGraceMs: 3_000,
  unclaimedKeepMs: 30 * 24 * 60 * 60 * 1000,
  scrubRate: 0,
  scrubDays: 30,
  graphqlRate: 50,
  acceptsUnsignedFacts: true,
  logLevel: 'error',
};

/** What a server keeps between two starts: its database and data folder. */
export class ServerHome {
  private constructor(
    private readonly database: TestDatabase,
    readonly dataDir: string,
    readonly dataSource: DataSource,
    readonly store: PostgresEventStore,
  ) {}

  static async create(): Promise<ServerHome> {
    const database = await createTestDatabase();
    const dataDir = await mkdtemp(join(tmpdir(), 'odst-home-'));
    const dataSource = await new DataSource(dataSourceOptions(database.settings, 'read')).initialize();
    return new ServerHome(database, dataDir, dataSource, new PostgresEventStore(database.settings));
  }

  settings(change: Partial<Settings> = {}): Settings {
    return { ...UNSET, dataDir: this.dataDir, ...change };
  }

  /** Reads identity and key anew, as a start does. */
  identity(change: Partial<Settings> = {}) {
    const settings = this.settings(change);
    return loadIdentity(this.store, new KeyRing(new ServerSecrets(this.dataSource, settings)), settings);
  }

  get databaseSettings() {
    return this.database.settings;
  }

  liveViews(): LiveViews {
    return new LiveViews(this.store, new UnprocessableEvents(this.dataSource));
  }

  async remove(): Promise<void> {
    await this.store.close();
    await this.dataSource.destroy();
    await this.database.drop();
    await rm(this.dataDir, { recursive: true, force: true });
  }
}

/** All events of a stream. */
export async function eventsOf(store: EventStore, stream: string): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const event of store.readStream(stream)) events.push(event);
  return events;
}
