// A module outside of src is added to the server by naming it once, with one migration. Everything else is found.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PostgresEventStore } from '../../src/adapters/event-store/postgres/postgres-event-store.js';
import { AdminClient } from '../../src/cli/demo/admin-client.js';
import { allPermissions, isTokenScope, permissionsOf } from '../../src/kernel/access.js';
import { ProjectionRunner } from '../../src/platform/eventsourcing/projection-runner.js';
import { BackgroundTasks } from '../../src/platform/runtime/background-tasks.js';
import { buildSchemaOf } from '../../src/platform/graphql/schema.js';
import { OdsHttpAdapter } from '../../src/platform/http/ods-http-adapter.js';
import { allErrorCodes } from '../../src/platform/http/errors/error-codes.js';
import { JobQueue } from '../../src/ports/job-queue.port.js';
import { AppModule, MODULES } from '../../src/server/app.module.js';
import { loadMigrations, migrate } from '../../src/server/boot/data-source.js';
import { loadSettings } from '../../src/server/config/load-settings.js';
import { findControllers, findProjections, findResolvers } from '../../src/server/discovery.js';
import {
  GreetServer,
  GreetingsController,
  GreetingsModule,
  GreetingsProjection,
  GreetingsResolver,
} from '../fixtures/new-module/greetings.module.js';
import { MemoryLocks } from '../support/memory-locks.js';
import { createEmptyDatabase, type TestDatabase, TestDatabasePort } from '../support/test-database.js';
import { waitFor } from '../support/wait-for.js';

const PASSWORD = 'a-password-for-one-test';
const MIGRATIONS = new URL('../fixtures/new-module/migrations/', import.meta.url);
const modules = [...MODULES, GreetingsModule];

let database: TestDatabase;
let dataDir: string;
let store: PostgresEventStore;
let app: NestExpressApplication;
let admin: AdminClient;

beforeAll(async () => {
  database = await createEmptyDatabase();
  dataDir = await mkdtemp(join(tmpdir(), 'odst-new-module-'));
  await migrate(
    database.settings,
    Promise.all([loadMigrations(), loadMigrations(MIGRATIONS)]).then((all) => all.flat()),
  );
  store = new PostgresEventStore(database.settings);
  const settings = loadSettings({ ODST_DATA_DIR: dataDir, ODST_ADMIN_PASSWORD: PASSWORD });
  const engines = {
    settings,
    database: new TestDatabasePort(database.settings),
    store,
    locks: new MemoryLocks(),
  };
  const http = new OdsHttpAdapter({ ...settings, tls: null });
  const options = { logger: false, abortOnError: false } as const;
  app = await NestFactory.create<NestExpressApplication>(AppModule.forRoot(engines, modules), http, options);
  await app.get(JobQueue).countJobs();
  await app.listen(0, '127.0.0.1');
  await app.get(ProjectionRunner).start();
  await app.get(BackgroundTasks).start();
  admin = await AdminClient.signIn(await app.getUrl(), 'admin', PASSWORD);
});

afterAll(async () => {
  await app.get(JobQueue).stop();
  await app.close();
  await store.close();
  await database.drop();
  await rm(dataDir, { recursive: true, force: true });
});

const Greetings = z.object({ greetings: z.array(z.object({ username: z.string() })) });

const greeted = (name: string): Promise<unknown> =>
  waitFor(`the greeting of ${name}`, async () => {
    const { greetings } = await admin.ask('{ greetings { username } }', Greetings);
    return greetings.some(({ username }) => username === name);
  });

describe('a new module', () => {
  it('listens to events, and its job fills its table', () => greeted('admin'));

  it('tells its events in the audit trail', async () => {
    const Trail = z.object({
      auditTrail: z.object({
        edges: z.array(z.object({ node: z.object({ summary: z.string(), target: z.object({ type: z.string() }) }) })),
      }),
    });
    const query = '{ auditTrail(filter: { kinds: ["Greeted"] }) { edges { node { summary target { type } } } } }';
    const readNodes = async () => (await admin.ask(query, Trail)).auditTrail.edges.map(({ node }) => node);
    await waitFor('the entry', async () => (await readNodes()).some(({ summary }) => summary === 'Greeted admin'));
    expect(await readNodes()).toContainEqual({ summary: 'Greeted admin', target: { type: 'GREETING' } });
  });

  it('has a permission that roles and tokens can have', async () => {
    const Me = z.object({ me: z.object({ permissions: z.array(z.string()) }) });
    expect((await admin.ask('{ me { permissions } }', Me)).me.permissions).toContain('greetings');
    expect(permissionsOf(['viewer'])).toContain('greetings');
    expect(permissionsOf(['auditor'])).not.toContain('greetings');
    expect(isTokenScope('greetings')).toBe(true);
    expect(allPermissions().get('greetings')?.meaning).toBe('who was greeted');
  });

  it('asks for it at its route', async () => {
    const response = await fetch(`${admin.url}/api/greetings/nobody`);
    expect(response.status).toBe(401);
  });

  it('answers with its error code, under its status', async () => {
    const headers = { authorization: `Bearer ${admin.token}` };
    const response = await fetch(`${admin.url}/api/greetings/nobody`, { headers });
    expect(response.status).toBe(410);
    expect(await response.json()).toMatchObject({ code: 'NOT_GREETED' });
    expect(allErrorCodes().get('NOT_GREETED')?.meaning).toBe('This account has not been greeted.');
  });

  it('is found by tools that work without a server', async () => {
    expect(findProjections(modules).some((projection) => projection instanceof GreetingsProjection)).toBe(true);
    expect(findResolvers(modules)).toContain(GreetingsResolver);
    expect(findControllers(modules)).toContain(GreetingsController);
    const schema = await buildSchemaOf(findResolvers(modules));
    expect(schema.getQueryType()?.getFields()['greetings']?.description).toBe('Needs: `greetings`.');
  });

  it('has a background task, which the server starts and stops with its own', async () => {
    await greeted('server');
    const task = app.get(GreetServer, { strict: false });
    expect(task.isRunning).toBe(true);
    await app.get(BackgroundTasks).beforeApplicationShutdown();
    expect(task.isRunning).toBe(false);
  });
});
