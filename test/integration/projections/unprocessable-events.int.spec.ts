import { Logger } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PostgresEventStore } from '../../../src/adapters/event-store/postgres/postgres-event-store.js';
import type { RecordedEvent } from '../../../src/kernel/events.js';
import { FailingReaders } from '../../../src/platform/failures/failing-readers.js';
import { ProjectionProgress } from '../../../src/platform/failures/projection-progress.js';
import { ProjectionRunner } from '../../../src/platform/eventsourcing/projection-runner.js';
import { type Projection, ProjectionRegistry } from '../../../src/platform/eventsourcing/projection.js';
import { ReadModelChanges } from '../../../src/platform/eventsourcing/read-model-changes.js';
import { ReadModels } from '../../../src/platform/eventsourcing/read-models.js';
import { Rebuild } from '../../../src/platform/eventsourcing/rebuild.js';
import { hasFailuresOfOtherProgram, UnprocessableEvents } from '../../../src/platform/failures/unprocessable-events.js';
import { newId } from '../../../src/platform/runtime/ids.js';
import { PgListener } from '../../../src/platform/runtime/pg-listener.js';
import { EventStoreUnavailable } from '../../../src/ports/event-store.port.js';
import { dataSourceOptions } from '../../../src/server/boot/data-source.js';
import { MemoryLocks } from '../../support/memory-locks.js';
import { createTestDatabase, type TestDatabase, TestDatabasePort } from '../../support/test-database.js';
import { waitFor } from '../../support/wait-for.js';

/** Writes down each event, and fails for those whose data names an error. */
class Notes implements Projection {
  readonly name = 'notes';
  readonly version = 1;
  readonly eventTypes = ['Noted'];
  readonly tables = ['notes'];
  failure: (text: string) => unknown = () => null;

  async apply(events: readonly RecordedEvent[], tx: EntityManager): Promise<readonly string[]> {
    for (const { id, data } of events) {
      const text = JSON.stringify(data);
      await tx.query('INSERT INTO notes (id, text) VALUES ($1, $2)', [id, text]);
      const failure = this.failure(text);
      if (failure !== null) throw failure;
    }
    return events.map(({ id }) => id);
  }
}

class OneProjection extends ProjectionRegistry {
  constructor(private readonly projection: Projection) {
    super(Object.create(null));
  }
  override findAll(): readonly Projection[] {
    return [this.projection];
  }
}

let database: TestDatabase;
let store: PostgresEventStore;
let dataSource: DataSource;
let next: DataSource;
let notes: Notes;
let failures: UnprocessableEvents;
const open: { onApplicationShutdown(): Promise<void> }[] = [];

beforeEach(async () => {
  Logger.overrideLogger(false);
  database = await createTestDatabase();
  store = new PostgresEventStore(database.settings);
  dataSource = await new DataSource(dataSourceOptions(database.settings, 'read')).initialize();
  next = await new DataSource(dataSourceOptions(database.settings, 'read_next')).initialize();
  await dataSource.query('CREATE TABLE notes (id uuid PRIMARY KEY, text text NOT NULL)');
  notes = new Notes();
  failures = new UnprocessableEvents(dataSource);
});

afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(open.splice(0).map((one) => one.onApplicationShutdown()));
  await store.close();
  await Promise.all([dataSource.destroy(), next.destroy()]);
  await database.drop();
});

function startProcess() {
  const listener = new PgListener(new TestDatabasePort(database.settings));
  const changes = new ReadModelChanges(listener);
  const registry = new OneProjection(notes);
  const failing = new FailingReaders();
  const runner = new ProjectionRunner(registry, store, dataSource, changes, new MemoryLocks(), failing);
  const progress = new ProjectionProgress(registry, store, dataSource, failing);
  open.push(runner, listener);
  return { readModels: new ReadModels(store, registry, changes, dataSource), progress, started: runner.start() };
}

async function record(...texts: readonly string[]) {
  const actor = { kind: 'system', id: 'test', name: 'test' } as const;
  const metadata = { schemaVersion: 1, serverId: 's', actor, address: null, correlationId: 'c', causationId: null };
  const events = texts.map((text) => ({ id: newId(), type: 'Noted', data: { text }, metadata }));
  const { cursor } = await store.append('notes-1', events, 'any');
  return { cursor, types: ['Noted'], ids: events.map(({ id }) => id) };
}

const texts = async (): Promise<readonly string[]> => {
  const rows: { text: string }[] = await dataSource.query('SELECT text FROM notes ORDER BY id');
  return rows.map(({ text }) => (JSON.parse(text) as { text: string }).text);
};

const sqlError = (code: string): Error => Object.assign(new Error(`error ${code}`), { code });

describe('a projection that cannot process an event', () => {
  it.each([
    ['a value that the database does not store', () => sqlError('22P05')],
    ['a row that breaks a constraint', () => sqlError('23502')],
    ['a value that is too large for an index', () => sqlError('54000')],
    ['data of another shape', () => new TypeError('x is undefined')],
  ])('goes on without it: %s', async (_, error) => {
    notes.failure = (text) => (text.includes('bad') ? error() : null);
    const logged = vi.spyOn(Logger.prototype, 'error');
    const { readModels, started } = startProcess();
    await started;
    const { ids, ...receipt } = await record('one', 'bad', 'two', 'bad too', 'three');
    await readModels.reflect(receipt);
    expect(await texts()).toEqual(['one', 'two', 'three']);
    const [summary] = await failures.summarise(10);
    expect(summary).toMatchObject({ reader: 'projection notes', count: 2 });
    expect(summary?.failures.map(({ eventId }) => eventId)).toEqual([ids[1], ids[3]]);
    expect(summary?.failures[0]).toMatchObject({ type: 'Noted', stream: 'notes-1', revision: 1n });
    const lines = logged.mock.calls.map(([message]) => String(message)).filter((line) => line.includes('goes on'));
    expect(lines).toHaveLength(2);
  });

  it('tries again when the cause may pass, and records nothing', async () => {
    const passing = [sqlError('40001'), sqlError('53100'), sqlError('57P01'), new EventStoreUnavailable('away')];
    notes.failure = (text) => (text.includes('unlucky') ? (passing.shift() ?? null) : null);
    const { readModels, started } = startProcess();
    await started;
    await readModels.reflect(await record('one', 'unlucky', 'two'));
    expect(await texts()).toEqual(['one', 'unlucky', 'two']);
    expect(passing).toEqual([]);
    expect(await failures.count()).toBe(0);
  });

  it('goes on without an event whose error tells nothing, after it has tried often enough', async () => {
    let tries = 0;
    notes.failure = (text) => (text.includes('odd') && (tries += 1) > 0 ? new Error('unreachable') : null);
    const { readModels, started } = startProcess();
    await started;
    await readModels.reflect(await record('one', 'odd', 'two'), 55_000);
    expect(await texts()).toEqual(['one', 'two']);
    expect(tries).toBeGreaterThan(5);
    expect(await failures.count()).toBe(1);
  });

  it('stands still when the program or its tables are wrong; the start goes on, and this is seen', async () => {
    await record('one');
    notes.failure = () => sqlError('42P01');
    const { progress, started } = startProcess();
    expect(await started).toEqual(['notes']);
    expect(await failures.count()).toBe(0);
    await waitFor('the failure to last', async () => (await progress.findStanding(Date.now() + 10_000)).length > 0);
    expect(await progress.findStanding(Date.now() + 10_000)).toMatchObject([{ name: 'notes', reason: 'error 42P01' }]);
    notes.failure = () => null;
    await waitFor('the rows', async () => (await texts()).length === 1);
    await waitFor('the end of it', async () => (await progress.findStanding(Date.now() + 60_000)).length === 0);
  });

  it('is seen to stand still when no process runs it', async () => {
    const { started } = startProcess();
    await started;
    await Promise.all(open.splice(0).map((one) => one.onApplicationShutdown()));
    await record('one');
    const progress = new ProjectionProgress(new OneProjection(notes), store, dataSource, new FailingReaders());
    expect(await progress.findStanding()).toEqual([]);
    expect(await progress.findStanding(Date.now() + 60_000)).toMatchObject([{ name: 'notes', reason: null }]);
  });
});

describe('a rebuild', () => {
  const rebuild = () => new Rebuild(dataSource, next, [notes], store).run();

  it('keeps what still fails, with the time of the first failure', async () => {
    notes.failure = (text) => (text.includes('bad') ? new TypeError('bad') : null);
    const { readModels, started } = startProcess();
    await started;
    await readModels.reflect(await record('one', 'bad', 'two'));
    const [before] = await failures.summarise(1);
    await rebuild();
    expect(await failures.summarise(1)).toEqual([before]);
    expect(await texts()).toEqual(['one', 'two']);
  });

  it('clears what a fixed program can process, and says so once', async () => {
    notes.failure = (text) => (text.includes('bad') ? new TypeError('bad') : null);
    const { readModels, started } = startProcess();
    await started;
    await readModels.reflect(await record('one', 'bad', 'two'));
    expect(await failures.findUntold(10)).toMatchObject([{ isAnnounced: false, isProcessed: false }]);
    notes.failure = () => null;
    await rebuild();
    expect(await failures.count()).toBe(0);
    expect(await texts()).toEqual(['one', 'bad', 'two']);
    const [untold] = await failures.findUntold(10);
    expect(untold).toMatchObject({ isAnnounced: false, isProcessed: true });
    if (untold) await failures.noteTold(untold);
    expect(await failures.findUntold(10)).toEqual([]);
  });

  it('is due when another version of the program has failed', async () => {
    notes.failure = () => new TypeError('bad');
    const { readModels, started } = startProcess();
    await started;
    await readModels.reflect(await record('bad'));
    expect(await hasFailuresOfOtherProgram(dataSource)).toBe(false);
    await dataSource.query("UPDATE state.unprocessable_events SET program = '0.0.1'");
    expect(await hasFailuresOfOtherProgram(dataSource)).toBe(true);
  });
});
