// The whole program, in this process, on a log with every kind of poison among a thousand good events. Reactions and live
// views are found by themselves, so that new ones are covered.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DiscoveryService, NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { EventStoreDbEventStore } from '../../src/adapters/event-store/eventstoredb/eventstoredb-event-store.js';
import { PostgresEventStore } from '../../src/adapters/event-store/postgres/postgres-event-store.js';
import { AdminClient } from '../../src/cli/demo/admin-client.js';
import { ProjectionRunner } from '../../src/platform/eventsourcing/projection-runner.js';
import { AsReaction, type Reaction } from '../../src/platform/eventsourcing/reaction.js';
import { readerOf } from '../../src/platform/failures/unprocessable-events.js';
import { OdsHttpAdapter } from '../../src/platform/http/ods-http-adapter.js';
import { BackgroundTasks } from '../../src/platform/runtime/background-tasks.js';
import type { EventStore } from '../../src/ports/event-store.port.js';
import { JobQueue } from '../../src/ports/job-queue.port.js';
import { AppModule } from '../../src/server/app.module.js';
import { loadSettings } from '../../src/server/config/load-settings.js';
import { EventStoreDbServer } from '../support/eventstoredb/eventstoredb-server.js';
import { MemoryLocks } from '../support/memory-locks.js';
import { appendAll, poisonedServerLog } from '../support/poisoned-events.js';
import { createTestDatabase, type TestDatabase, TestDatabasePort } from '../support/test-database.js';
import { waitFor } from '../support/wait-for.js';

const PASSWORD = 'a-password-for-one-test';
const PATIENCE_MS = 240_000;

const Ready = z.object({
  status: z.string(),
  projections: z.object({ standingStill: z.array(z.string()), unprocessableEvents: z.number() }),
});
const Problems = z.object({
  problems: z.array(
    z.object({
      kind: z.string(),
      where: z.string(),
      count: z.number(),
      advice: z.string(),
      examples: z.array(z.string()),
    }),
  ),
});
const Trail = z.object({
  auditTrail: z.object({ edges: z.array(z.object({ node: z.object({ summary: z.string() }) })) }),
});

interface Engine {
  readonly store: EventStore;
  stop(): Promise<void>;
}

const ENGINES: Readonly<Record<string, (database: TestDatabase) => Promise<Engine>>> = {
  PostgreSQL: async ({ settings }) => {
    const store = new PostgresEventStore(settings);
    return { store, stop: () => store.close() };
  },
  EventStoreDB: async () => {
    const server = await EventStoreDbServer.start();
    const store = await EventStoreDbEventStore.connect(server.url, { log: () => undefined });
    return {
      store,
      async stop() {
        await store.close();
        await server.stop();
      },
    };
  },
};

describe.each(Object.entries(ENGINES))('a server on a poisoned log in %s', (_, startEngine) => {
  let database: TestDatabase;
  let engine: Engine;
  let dataDir: string;
  let app: NestExpressApplication;
  let admin: AdminClient;
  let log: Awaited<ReturnType<typeof poisonedServerLog>>;
  /** The ids of the events that each reaction was given. */
  const given = new Map<string, Set<string>>();
  let reactions: readonly Reaction[];
  let failing: readonly string[];

  beforeAll(async () => {
    database = await createTestDatabase();
    engine = await startEngine(database);
    dataDir = await mkdtemp(join(tmpdir(), 'odst-poisoned-'));
    const settings = loadSettings({ ODST_DATA_DIR: dataDir, ODST_ADMIN_PASSWORD: PASSWORD });
    const engines = {
      settings,
      database: new TestDatabasePort(database.settings),
      store: engine.store,
      locks: new MemoryLocks(),
    };
    const http = new OdsHttpAdapter({ ...settings, tls: null });
    const options = { logger: false, abortOnError: false } as const;
    log = await poisonedServerLog();
    await appendAll(engine.store, log.all);
    app = await NestFactory.create<NestExpressApplication>(AppModule.forRoot(engines), http, options);
    reactions = app
      .get(DiscoveryService, { strict: false })
      .getProviders({ metadataKey: AsReaction.KEY })
      .map((wrapper) => wrapper.instance as Reaction);
    for (const reaction of reactions) {
      const ids = new Set<string>();
      given.set(reaction.name, ids);
      const react = reaction.react.bind(reaction);
      vi.spyOn(reaction, 'react').mockImplementation((event) => {
        ids.add(event.id);
        return react(event);
      });
    }
    await app.get(JobQueue).countJobs();
    await app.listen(0, '127.0.0.1');
    failing = await app.get(ProjectionRunner).start();
    await app.get(BackgroundTasks).start();
    admin = await AdminClient.signIn(await app.getUrl(), 'admin', PASSWORD);
  }, PATIENCE_MS);

  afterAll(async () => {
    await app.get(JobQueue).stop();
    await app.close();
    await engine.stop();
    await database.drop();
    await rm(dataDir, { recursive: true, force: true });
  }, PATIENCE_MS);

  it('starts, with all projections at the end of the log', () => {
    expect(failing).toEqual([]);
  });

  it('takes uploads, and serves them', async () => {
    const response = await fetch(`${admin.url}/api/packages/Good.pkg`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${admin.token}` },
      body: 'good bytes',
    });
    expect(response.status).toBe(201);
    expect(await (await fetch(`${admin.url}/Packages/Good.pkg`)).text()).toBe('good bytes');
  });

  it('gives every reaction all the other events', { timeout: PATIENCE_MS }, async () => {
    expect(reactions.length).toBeGreaterThan(5);
    for (const { name, eventTypes } of reactions) {
      const wanted = log.all.filter(({ event }) => eventTypes.includes(event.type)).map(({ event }) => event.id);
      await waitFor(
        `${name} to be given all events`,
        () => wanted.every((id) => given.get(name)?.has(id)),
        PATIENCE_MS / 2,
      );
    }
  });

  it('records only poisoned events as unprocessable', async () => {
    const good = new Set(log.good.map(({ event }) => event.id));
    const rows: { id: string; reader: string }[] = await app
      .get(DataSource)
      .query('SELECT event_id AS id, reader FROM state.unprocessable_events');
    // A reaction to a good event can decide nothing when the history of its object contains poison.
    const others = rows.filter(({ reader }) => !reader.startsWith(readerOf.reaction('')));
    expect(others.filter(({ id }) => good.has(id))).toEqual([]);
    const readers = new Set(rows.map(({ reader }) => reader));
    expect(readers).toContain(readerOf.projection('packages'));
    expect(readers).toContain(readerOf.projection('audit'));
    expect(readers).toContain(readerOf.reaction('packages:delete-removed-files'));
    expect(readers).toContain(readerOf.view('accounts'));
    expect(readers).toContain(readerOf.view('server identity'));
  });

  it('is ready, and tells that there are such events', async () => {
    const response = await fetch(`${admin.url}/health/ready`);
    const { status, projections } = Ready.parse(await response.json());
    expect({ code: response.status, status, standing: projections.standingStill }).toEqual({
      code: 200,
      status: 'ok',
      standing: [],
    });
    expect(projections.unprocessableEvents).toBeGreaterThan(100);
  });

  it('lists them as problems, with what to do', async () => {
    const { problems } = await admin.ask('{ problems { kind where count advice examples } }', Problems);
    const audit = problems.find(({ where }) => where === readerOf.projection('audit'));
    expect(audit).toMatchObject({ kind: 'EVENTS_UNPROCESSABLE' });
    expect(audit?.count).toBeGreaterThan(50);
    expect(audit?.examples).toHaveLength(10);
    expect(audit?.advice).toContain('projections:rebuild');
  });

  it('tells each of them once in the audit trail', { timeout: PATIENCE_MS }, async () => {
    const count = async (sql: string): Promise<number> => {
      const rows: { count: number }[] = await app.get(DataSource).query(sql);
      return rows[0]?.count ?? 0;
    };
    const untold = 'SELECT count(*)::int AS count FROM state.unprocessable_events WHERE announced_at IS NULL';
    await waitFor('all to be told', async () => (await count(untold)) === 0, PATIENCE_MS / 2);
    const entries = "FROM read.audit_entries WHERE kind = 'EventUnprocessable'";
    await waitFor('the entries', async () => (await count(`SELECT count(*)::int AS count ${entries}`)) > 100);
    const twice = `SELECT count(*)::int AS count FROM (
      SELECT FROM read.audit_entries WHERE kind = 'EventUnprocessable' AND actor_id = 'server'
        AND event_id::text <> ALL (ARRAY[${log.all.map(({ event }) => `'${event.id}'`).join(', ')}])
      GROUP BY details::jsonb ->> 'reader', details::jsonb ->> 'eventId' HAVING count(*) > 1) AS twice`;
    expect(await count(twice)).toBe(0);
    const trail = '{ auditTrail(filter: { kinds: ["EventUnprocessable"] }) { edges { node { summary } } } }';
    const { auditTrail } = await admin.ask(trail, Trail);
    expect(auditTrail.edges[0]?.node.summary).toMatch(/cannot process the event \w+ \S+ in \S+ and goes on without it/);
  });
});
