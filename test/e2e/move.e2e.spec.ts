import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { EmbeddedDatabase } from '../../src/adapters/database/embedded/embedded-database.js';
import { EventStoreDbProcess } from '../support/cluster/eventstoredb-process.js';
import { runTool, urlOf } from '../support/copy-tool.js';
import { startPair, type Pair } from '../support/pair.js';
import { ServerUnderTest, sha256 } from '../support/server-under-test.js';
import { waitFor } from '../support/wait-for.js';

const Copied = z.object({
  already: z.number(),
  copied: z.number(),
  stateRows: z.number().nullable(),
  behind: z.number(),
});
const Identity = z.object({ server: z.object({ id: z.string() }), peers: z.array(z.object({ id: z.string() })) });

let pair: Pair;
let outside: EmbeddedDatabase;
const folder = mkdtempSync(join(tmpdir(), 'odst-outside-'));
beforeAll(async () => {
  [pair, outside] = await Promise.all([startPair(), EmbeddedDatabase.start(folder)]);
});
afterAll(async () => {
  await pair.dispose();
  await outside.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function copy(from: string, to: string) {
  const { code, stdout, stderr } = await runTool('--from', from, '--to', to, '--json');
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return Copied.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));
}

const identity = async (server: ServerUnderTest) =>
  (await server.client()).ask('{ server { id } peers { id } }', Identity);

/** Published on one server, it arrives on the other: both know each other's keys and follow each other's feed. */
async function replicates(from: ServerUnderTest, to: ServerUnderTest, filename: string): Promise<void> {
  const bytes = randomBytes(1_500_000);
  expect((await from.put(filename, bytes)).status).toBe(201);
  await waitFor(`${filename} on ${to.name}`, async () => (await to.servedDigest(filename)) === sha256(bytes));
}

it('a server moves from the embedded PostgreSQL to an outside one and back, and stays who it is', async () => {
  const { a, b } = pair;
  const moved = new ServerUnderTest('a', { DATABASE_URL: urlOf(outside.settings) }, a.dataDir);
  moved.port = a.port;
  const before = await identity(a);
  await replicates(a, b, 'before.pkg');

  const whileRunning = await copy(a.dataDir, urlOf(outside.settings));
  expect(whileRunning.already).toBe(0);
  await replicates(b, a, 'meanwhile.pkg');
  await a.stop();
  const afterwards = await copy(a.dataDir, urlOf(outside.settings));
  expect(afterwards).toMatchObject({ already: whileRunning.copied, behind: 0 });
  expect(afterwards.copied).toBeGreaterThan(0);

  await moved.start();
  expect(await identity(moved)).toEqual(before);
  for (const filename of ['before.pkg', 'meanwhile.pkg'])
    expect(await moved.servedDigest(filename)).toBe(await b.servedDigest(filename));
  await replicates(moved, b, 'moved.pkg');
  await replicates(b, moved, 'to-the-moved.pkg');

  await moved.stop();
  const back = await copy(urlOf(outside.settings), a.dataDir);
  expect(back.already).toBe(afterwards.already + afterwards.copied);
  await a.start();
  expect(await identity(a)).toEqual(before);
  expect(await a.servedDigest('moved.pkg')).toBe(await b.servedDigest('moved.pkg'));
  await replicates(a, b, 'back.pkg');
});

it('a server moves its log to EventStoreDB: without the history it does not start, with it all goes on', async () => {
  const { a, b } = pair;
  const events = await EventStoreDbProcess.start();
  const moved = new ServerUnderTest('a', { EVENTSTOREDB_URL: events.url }, a.dataDir);
  moved.port = a.port;
  try {
    const before = await identity(a);
    await replicates(a, b, 'before-eventstoredb.pkg');
    await a.stop();
    const refused = await moved.runToEnd();
    expect(refused.code).toBe(1);
    expect(refused.output).toContain('npm run events:copy');

    expect((await copy(a.dataDir, events.url)).behind).toBe(0);
    await moved.start();
    expect(await identity(moved)).toEqual(before);
    expect(await moved.servedDigest('before-eventstoredb.pkg')).toBe(await b.servedDigest('before-eventstoredb.pkg'));
    await replicates(moved, b, 'from-eventstoredb.pkg');
    await replicates(b, moved, 'to-eventstoredb.pkg');
  } finally {
    await moved.stop();
    await events.dispose();
  }
});
