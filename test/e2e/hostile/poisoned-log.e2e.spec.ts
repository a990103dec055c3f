import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { runningSettings } from '../../../src/adapters/database/embedded/embedded-database.js';
import { PostgresEventStore } from '../../../src/adapters/event-store/postgres/postgres-event-store.js';
import { appendAll, poisonedServerLog } from '../../support/poisoned-events.js';
import { ServerUnderTest, sha256 } from '../../support/server-under-test.js';
import { waitFor } from '../../support/wait-for.js';

const PATIENCE_MS = 240_000;

/** A built server whose log gets every kind of poison while it runs. */
let server: ServerUnderTest;
let poison: number;
const before = randomBytes(3_000);

const Ready = z.object({
  status: z.string(),
  projections: z.object({ standingStill: z.array(z.string()), unprocessableEvents: z.number() }),
});
const ready = async () => Ready.parse(await (await fetch(`${server.url}/health/ready`)).json());
const Problems = z.object({ problems: z.array(z.object({ kind: z.string(), count: z.number() })) });
/** How many problems there are of events that cannot be processed: one for each reader. */
async function readersWithPoison(): Promise<number> {
  const { problems } = await (await server.client()).ask('{ problems { kind count } }', Problems);
  return problems.filter(({ kind }) => kind === 'EVENTS_UNPROCESSABLE').length;
}

async function serves(filename: string, content: Buffer): Promise<void> {
  await waitFor(filename, async () => (await server.servedDigest(filename)) === sha256(content));
}

beforeAll(async () => {
  server = await new ServerUnderTest('poisoned').start();
  expect((await server.put('before.pkg', before)).status).toBe(201);
  const settings = await runningSettings(server.dataDir);
  if (!settings) throw new Error('The database does not run');
  const store = new PostgresEventStore(settings);
  try {
    const { bad, all } = await poisonedServerLog();
    poison = bad.length;
    await appendAll(store, all);
  } finally {
    await store.close();
  }
}, PATIENCE_MS);
afterAll(() => server.dispose());

it('goes on with every kind of poison in its log, and says so', { timeout: PATIENCE_MS }, async () => {
  const content = randomBytes(4_000);
  // While the readers pass the poison one by one, an upload may be answered with "recorded, but not shown yet".
  await waitFor('an upload to be answered', async () => (await server.put('after.pkg', content)).ok);
  await serves('after.pkg', content);
  await serves('before.pkg', before);
  expect(poison).toBeGreaterThan(50);
  const found = await ready();
  expect(found).toMatchObject({ status: 'ok', projections: { standingStill: [] } });
  expect(found.projections.unprocessableEvents).toBeGreaterThan(0);
  expect(await readersWithPoison()).toBeGreaterThan(5);
});

it.each([
  ['ended and started again', () => server.stop()],
  ['killed and started again', () => server.kill()],
])('%s, it listens, serves and takes uploads', { timeout: PATIENCE_MS }, async (how, end) => {
  await end();
  await server.start();
  const content = randomBytes(5_000);
  const filename = `${how}.pkg`;
  expect((await server.put(filename, content)).status).toBe(201);
  await serves(filename, content);
  await serves('before.pkg', before);
  expect(await ready()).toMatchObject({ status: 'ok', projections: { standingStill: [] } });
  expect(await readersWithPoison()).toBeGreaterThan(5);
});
