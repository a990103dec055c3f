import { DataSource, getMetadataArgsStorage } from 'typeorm';
import { v7 } from 'uuid';
import { dataSourceOptions } from '../../src/server/boot/data-source.js';
import { allProjections } from '../../src/server/boot/read-models.js';
import type { Actor, Json, RecordedEvent } from '../../src/kernel/events.js';
import type { PackagePublished } from '../../src/modules/packages/contracts/package.events.js';
import { packageIdOf } from '../../src/platform/runtime/ids.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';

export const OWN_SERVER = '0192c7a0-0000-7000-8000-00000000000a';
export const PEER = '0192c7a0-0000-7000-8000-00000000000b';
const ADMIN: Actor = { kind: 'account', id: '0192c7a0-0000-7000-8000-00000000000c', name: 'admin' };
const CORRELATION = '0192c7a0-0000-7000-8000-000000000001';

/** An event as the log returns it, for projections, which don't look at stream, revision or cursor. */
export function recorded(type: string, data: Json, at = new Date('2026-01-02T03:04:05.678Z')): RecordedEvent {
  return {
    id: v7(),
    type,
    data,
    metadata: {
      schemaVersion: 1,
      serverId: OWN_SERVER,
      actor: ADMIN,
      address: '192.0.2.1',
      correlationId: CORRELATION,
      causationId: null,
    },
    stream: 'any',
    revision: 0n,
    cursor: '0',
    recordedAt: at,
  };
}

/** A stamp of a logical time; later ones sort later. */
export const stamp = (time: number): string =>
  `${(1_700_000_000_000 + time).toString(16).padStart(12, '0')}-0000-${OWN_SERVER}`;

type Publication = PackagePublished['data'];

/** Data of a publication; the content follows from `sha256`, or else from the filename. */
export function publication(filename: string, change: Partial<Publication> & { time?: number } = {}): Publication {
  const { time = 1, ...rest } = change;
  const sha256 =
    rest.sha256 ?? Buffer.from(filename.padEnd(32, '.').slice(0, 32)).toString('hex').slice(0, 64).padEnd(64, '0');
  const size = rest.size ?? 3_000_000;
  return {
    packageId: packageIdOf(filename, sha256),
    filename,
    size,
    sha1: 'a'.repeat(40),
    sha256,
    chunkSize: 1_048_576,
    chunkCount: Math.ceil(size / 1_048_576),
    stage: 'Prod',
    stageStamp: stamp(time),
    publication: stamp(time),
    firstPublishedAt: '2026-01-02T03:04:05Z',
    origin: { serverId: OWN_SERVER, name: 'Here' },
    uploadedBy: 'admin',
    source: { kind: 'local' },
    ...rest,
  };
}

/** The read models on a database of their own, fed by hand. */
export class ReadSide {
  private constructor(
    private readonly database: TestDatabase,
    readonly dataSource: DataSource,
  ) {}

  static async open(create = createTestDatabase): Promise<ReadSide> {
    const database = await create();
    const entities = getMetadataArgsStorage().tables.map((table) => table.target);
    const dataSource = new DataSource({ ...dataSourceOptions(database.settings, 'read'), entities });
    return new ReadSide(database, await dataSource.initialize());
  }

  get settings() {
    return this.database.settings;
  }

  /** Feeds every projection the events that it wants, as one page. */
  async apply(...events: readonly RecordedEvent[]): Promise<Record<string, readonly string[]>> {
    const keys: Record<string, readonly string[]> = {};
    for (const projection of allProjections()) {
      const wanted = events.filter((event) => projection.eventTypes.includes(event.type));
      if (wanted.length === 0) continue;
      keys[projection.name] = await this.dataSource.transaction((tx) => projection.apply(wanted, tx));
    }
    return keys;
  }

  /** Counts the statements that `work` sends. */
  async statements(work: () => Promise<unknown>): Promise<number> {
    let count = 0;
    const { logger } = this.dataSource;
    this.dataSource.setOptions({ logging: ['query'], logger: { ...silent, logQuery: () => void count++ } });
    try {
      await work();
      return count;
    } finally {
      this.dataSource.setOptions({ logging: false });
      this.dataSource.logger = logger;
    }
  }

  async close(): Promise<void> {
    await this.dataSource.destroy();
    await this.database.drop();
  }
}

const nothing = (): void => undefined;
const silent = {
  logQueryError: nothing,
  logQuerySlow: nothing,
  logSchemaBuild: nothing,
  logMigration: nothing,
  log: nothing,
};
