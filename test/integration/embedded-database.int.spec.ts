import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EmbeddedDatabase, runningSettings } from '../../src/adapters/database/embedded/embedded-database.js';
import { StartupError } from '../../src/kernel/errors.js';
import type { DatabaseSettings } from '../../src/ports/database.port.js';
import { Child } from '../support/child.js';

const WAIT = { timeout: 30_000, interval: 20 };

async function query(settings: DatabaseSettings, sql: string): Promise<unknown[]> {
  const client = new Client(settings);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

const pidIn = async (dataDir: string): Promise<number> =>
  Number((await readFile(join(dataDir, 'postgres/data/postmaster.pid'), 'utf8')).split('\n')[0]);

describe('embedded PostgreSQL', () => {
  let dataDir: string;
  let running: EmbeddedDatabase[] = [];
  const start = async (onEvent?: (message: string) => void): Promise<EmbeddedDatabase> => {
    const database = await EmbeddedDatabase.start(dataDir, onEvent ? { onEvent } : {});
    running.push(database);
    return database;
  };
  const failure = (): Promise<unknown> => EmbeddedDatabase.start(dataDir).catch((error: unknown) => error);

  beforeEach(async () => {
    // Only its owner may enter: when that is root, the user that PostgreSQL runs as may not.
    dataDir = await mkdtemp(join(tmpdir(), 'odst-embedded-'));
  });
  afterEach(async () => {
    await Promise.all(running.map((database) => database.stop()));
    running = [];
    await rm(dataDir, { recursive: true, force: true });
  });

  it.each([0o750, 0o755, 0o770, 0o777])('takes rights %i of others away from its data, and says so', async (mode) => {
    await (await start()).stop();
    const [data, password] = ['data', 'password'].map((name) => join(dataDir, 'postgres', name)) as [string, string];
    await chmod(data, mode);
    await chmod(password, 0o644);
    const said: string[] = [];
    await start((message) => said.push(message));
    expect([(await stat(data)).mode & 0o777, (await stat(password)).mode & 0o777]).toEqual([0o700, 0o600]);
    expect(said).toEqual([
      `${password} had the mode 0644, so that others could use it. It has 0600 now`,
      `${data} had the mode 0${mode.toString(8)}, so that others could use it. It has 0700 now`,
    ]);
  });

  it('starts twice on the same data and keeps it', async () => {
    const first = await start();
    await query(first.settings, 'CREATE TABLE kept AS SELECT 1 AS one');
    expect(await runningSettings(dataDir)).toEqual(first.settings);
    await first.stop();
    expect(await runningSettings(dataDir)).toBeNull();
    const second = await start();
    expect(await query(second.settings, 'SELECT one FROM kept')).toEqual([{ one: 1 }]);
    expect((await stat(join(dataDir, 'postgres/password'))).mode & 0o777).toBe(0o600);
    await expect(query({ ...second.settings, password: 'wrong' }, 'SELECT 1')).rejects.toThrow(/password/);
  });

  it('starts while the one before is still ending', async () => {
    const first = await start();
    // Clients that wait for an answer are what makes an end take a moment.
    const clients = await Promise.all(Array.from({ length: 20 }, () => new Client(first.settings)));
    await Promise.all(clients.map((client) => client.on('error', () => undefined).connect()));
    for (const client of clients) client.query('SELECT pg_sleep(60)').catch(() => undefined);
    const [, second] = await Promise.all([first.stop(), start()]);
    expect(await query(second.settings, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('takes over from a process that was killed', async () => {
    const child = new Child(new URL('../support/embedded-server.ts', import.meta.url), { TEST_DATA_DIR: dataDir });
    await vi.waitFor(() => expect(child.lines).toHaveLength(1), WAIT);
    const pid = await pidIn(dataDir);
    expect(await failure()).toMatchObject({ name: 'StartupError', message: expect.stringContaining('Another server') });
    await child.kill();
    // By another path to the same folder, too: a second PostgreSQL on it would destroy it.
    await symlink(dataDir, `${dataDir}-link`);
    const database = await EmbeddedDatabase.start(`${dataDir}-link`);
    running.push(database);
    await rm(`${dataDir}-link`);
    expect(await pidIn(dataDir)).toBe(pid);
    expect(database.settings).toEqual(JSON.parse(child.lines[0] ?? ''));
  });

  it('starts PostgreSQL again when it dies', async () => {
    const events: string[] = [];
    const { settings } = await start((message) => events.push(message));
    await query(settings, 'CREATE TABLE kept AS SELECT 1 AS one');
    process.kill(await pidIn(dataDir), 'SIGKILL');
    await vi.waitFor(() => expect(events.at(-1)).toBe('PostgreSQL is back'), WAIT);
    expect(await query(settings, 'SELECT one FROM kept')).toEqual([{ one: 1 }]);
  });

  it('starts after a power loss left the process id of another program behind', async () => {
    await (await start()).stop();
    await writeFile(
      join(dataDir, 'postgres/data/postmaster.pid'),
      `${process.pid}\n${dataDir}\n0\n5432\n\n127.0.0.1\n\nready\n`,
    );
    expect(await query((await start()).settings, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('makes the cluster anew when it was killed while it made it', async () => {
    await mkdir(join(dataDir, 'postgres/data.draft-999999999/base'), { recursive: true });
    await start();
    expect((await readdir(join(dataDir, 'postgres'))).filter((name) => name.includes('draft'))).toEqual([]);
  });

  it('says in one line what to change', async () => {
    await writeFile(join(dataDir, 'file'), '');
    const below = await EmbeddedDatabase.start(join(dataDir, 'file')).catch((error: unknown) => error);
    expect(below).toBeInstanceOf(StartupError);
    expect(below).toMatchObject({
      message: expect.stringMatching(/^The data folder cannot be written .* ODST_DATA_DIR$/),
    });

    await (await start()).stop();
    await writeFile(join(dataDir, 'postgres/data/PG_VERSION'), '9\n');
    expect(await failure()).toMatchObject({
      name: 'StartupError',
      message: expect.stringContaining('was written by PostgreSQL 9'),
    });
    await writeFile(join(dataDir, 'postgres/data/PG_VERSION'), '18\n');
    await rm(join(dataDir, 'postgres/data/global/pg_control'));
    expect(await failure()).toMatchObject({ name: 'StartupError', message: expect.stringContaining('pg_control') });
  });
});
