import { DataSource, type EntityManager } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PostgresEventStore } from '../../../src/adapters/event-store/postgres/postgres-event-store.js';
import { dataSourceOptions } from '../../../src/server/boot/data-source.js';
import type { RecordedEvent } from '../../../src/kernel/events.js';
import { newId } from '../../../src/platform/runtime/ids.js';
import { FailingReaders } from '../../../src/platform/failures/failing-readers.js';
import { PgListener } from '../../../src/platform/runtime/pg-listener.js';
import { type Projection, ProjectionRegistry } from '../../../src/platform/eventsourcing/projection.js';
import { ReadModelChanges } from '../../../src/platform/eventsourcing/read-model-changes.js';
import { ReadModels } from '../../../src/platform/eventsourcing/read-models.js';
import { ProjectionRunner } from '../../../src/platform/eventsourcing/projection-runner.js';
import { foldHistory } from '../../../src/platform/eventsourcing/rebuild.js';
import { createTestDatabase, type TestDatabase, TestDatabasePort } from '../../support/test-database.js';
import type { HoldOptions, Locks } from '../../../src/ports/locks.port.js';
import { untilAborted } from '../../../src/platform/runtime/restarting-work.js';
import { MemoryLocks } from '../../support/memory-locks.js';
import { waitFor } from '../../support/wait-for.js';

/** Counts how often each event was applied. */
class Applied implements Projection {
  readonly name: string = 'applied';
  readonly version = 1;
  readonly eventTypes = ['Happened'];
  readonly tables = ['applied'];
  failures = 0;

  async apply(events: readonly RecordedEvent[], tx: EntityManager): Promise<readonly string[]> {
    const ids = events.map(({ id }) => id);
    await tx.query('INSERT INTO applied (id) SELECT unnest($1::uuid[])', [ids]);
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Error('after the rows were written');
    }
    return ids;
  }
}

/** Never folds anything. */
class Broken extends Applied {
  override readonly name = 'broken';
  tries = 0;

  override async apply(): Promise<readonly string[]> {
    this.tries += 1;
    throw new Error('it is broken');
  }
}

/** Wants nothing that happens. */
class Rare extends Applied {
  override readonly name = 'rare';
  override readonly eventTypes = ['NeverHappens'];
}

/** After the first hold, another process has the locks, for good. */
class TakenLocks extends MemoryLocks {
  holds = 0;

  override async hold<T>(
    name: string,
    work: (held: AbortSignal) => Promise<T>,
    options: HoldOptions = {},
  ): Promise<T | null> {
    this.holds += 1;
    if (this.holds === 1) return super.hold(name, work, options);
    options.onTaken?.();
    if (options.signal) await untilAborted(options.signal);
    return null;
  }
}

class TheseProjections extends ProjectionRegistry {
  constructor(private readonly projections: readonly Projection[]) {
    super(Object.create(null));
  }
  override findAll(): readonly Projection[] {
    return this.projections;
  }
}

let database: TestDatabase;
let store: PostgresEventStore;
let dataSource: DataSource;
let projection: Applied;
const open: { onApplicationShutdown(): Promise<void> }[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
  store = new PostgresEventStore(database.settings);
  dataSource = await new DataSource(dataSourceOptions(database.settings, 'read')).initialize();
  await dataSource.query('CREATE TABLE applied (id uuid NOT NULL)');
  projection = new Applied();
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.onApplicationShutdown()));
  await store.close();
  await dataSource.destroy();
  await database.drop();
});

/** What one process of a server runs. */
function startProcess(others: readonly Projection[] = [], locks: Locks = new MemoryLocks()) {
  const listener = new PgListener(new TestDatabasePort(database.settings));
  const changes = new ReadModelChanges(listener);
  const registry = new TheseProjections([projection, ...others]);
  const failing = new FailingReaders();
  const runner = new ProjectionRunner(registry, store, dataSource, changes, locks, failing);
  open.push(runner, listener);
  const readModels = new ReadModels(store, registry, changes, dataSource);
  return { changes, failing, readModels, started: runner.start() };
}

async function happen(count: number): Promise<{ cursor: string; types: string[] }> {
  const metadata = {
    schemaVersion: 1,
    serverId: 's',
    actor: { kind: 'system', id: 'test', name: 'test' } as const,
    address: null,
    correlationId: 'c',
    causationId: null,
  };
  const events = Array.from({ length: count }, () => ({ id: newId(), type: 'Happened', data: {}, metadata }));
  const { cursor } = await store.append(`thing-${newId()}`, events, 'none');
  return { cursor, types: ['Happened'] };
}

async function counts(): Promise<{ rows: number; ids: number }> {
  const [row]: { rows: number; ids: number }[] = await dataSource.query(
    'SELECT count(*)::int AS rows, count(DISTINCT id)::int AS ids FROM applied',
  );
  return row ?? { rows: -1, ids: -1 };
}

async function checkpointOf(projection: string): Promise<string | null> {
  const rows: { cursor: string | null }[] = await dataSource.query(
    'SELECT cursor FROM checkpoints WHERE projection = $1',
    [projection],
  );
  return rows[0]?.cursor ?? null;
}

describe('ProjectionRunner', () => {
  it('has folded the history before start resolves', async () => {
    await happen(50);
    await startProcess().started;
    expect(await counts()).toEqual({ rows: 50, ids: 50 });
  });

  it('writes rows and checkpoint together: a failure after the rows leaves neither, and is tried again', async () => {
    const { readModels, started } = startProcess();
    await started;
    projection.failures = 3;
    await readModels.reflect(await happen(5));
    expect(projection.failures).toBe(0);
    expect(await counts()).toEqual({ rows: 5, ids: 5 });
  });

  it('applies every event once when two processes run the same projection', async () => {
    const [one, two] = [startProcess(), startProcess()];
    await Promise.all([one.started, two.started]);
    const receipts = await Promise.all(Array.from({ length: 40 }, () => happen(3)));
    await Promise.all(receipts.map((receipt) => two.readModels.reflect(receipt)));
    expect(await counts()).toEqual({ rows: 120, ids: 120 });
  });

  it('is held up by no other projection that fails on the same events', async () => {
    const broken = new Broken();
    void startProcess([broken]);
    await happen(2);
    await waitFor('the rows', async () => (await counts()).rows === 2);
    await happen(3);
    await waitFor('more rows', async () => (await counts()).rows === 5);
    await waitFor('the other to be tried', () => broken.tries > 0);
  });

  it('moves the checkpoint of a projection past events of which it wants none', async () => {
    await startProcess([new Rare()]).started;
    const { cursor } = await happen(3);
    await waitFor('the checkpoint', async () => (await checkpointOf('rare')) === cursor);
  });

  it('has a checkpoint at the end of the log after a rebuild, also when it wants none of its events', async () => {
    const { cursor } = await happen(3);
    await foldHistory(dataSource, new Rare(), store);
    expect(await checkpointOf('rare')).toBe(cursor);
  });

  it('is not failing any more when another process has gone on with the projection', async () => {
    projection.failures = 1;
    const locks = new TakenLocks();
    const { failing } = startProcess([], locks);
    await happen(1);
    await waitFor('the failure', () => projection.failures === 0);
    await waitFor('the second try', () => locks.holds === 2);
    expect(failing.list(Date.now() + 3_600_000)).toEqual([]);
  });

  it('goes on from the checkpoint when the tables were put back to an earlier state', async () => {
    const { readModels, started } = startProcess();
    await started;
    await readModels.reflect(await happen(4));
    await dataSource.query('TRUNCATE applied');
    await dataSource.query("UPDATE checkpoints SET cursor = NULL WHERE projection = 'applied'");
    await happen(1);
    await waitFor('all five', async () => (await counts()).rows === 5);
    expect(await counts()).toEqual({ rows: 5, ids: 5 });
  });
});

describe('ReadModels', () => {
  it('tells which rows changed once they can be read', async () => {
    const { changes, readModels, started } = startProcess();
    await started;
    const told: string[] = [];
    changes.subscribe('applied', (keys) => told.push(...(keys ?? [])));
    await readModels.reflect(await happen(2));
    await waitFor('both keys', () => told.length === 2);
  });

  it('resolves although all notifications are lost', async () => {
    const { readModels, started } = startProcess();
    await started;
    await dataSource.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN odst_read_model%'",
    );
    await readModels.reflect(await happen(2));
    expect(await counts()).toEqual({ rows: 2, ids: 2 });
  });

  it('has nothing to wait for when nothing was recorded, or nothing shows it', async () => {
    const { readModels } = startProcess();
    await readModels.reflect({ cursor: null, types: [] });
    await readModels.reflect({ ...(await happen(1)), types: ['Unheard'] });
  });
});
