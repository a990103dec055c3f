import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { shown } from '../../support/damage.js';
import { comparison, waitForSync } from '../../support/in-sync.js';
import { queryDatabase } from '../../support/log-of.js';
import { startPair, type Pair } from '../../support/pair.js';
import { sha256 } from '../../support/server-under-test.js';
import { waitFor } from '../../support/wait-for.js';

const Uploaded = z.object({ id: z.string() });

let pair: Pair;
beforeAll(async () => (pair = await startPair({ a: { ODST_STAGE: 'Test' } })));
afterAll(() => pair.dispose());

async function upload(name: string, stage = 'Prod'): Promise<{ id: string; digest: string }> {
  const bytes = randomBytes(5000);
  const { id } = Uploaded.parse(await (await pair.a.put(name, bytes, `?stage=${stage}`)).json());
  return { id, digest: sha256(bytes) };
}

/** As if what A's feed told since B left had been lost. */
async function skipNews(): Promise<void> {
  const [last] = await queryDatabase<{ id: string }>(
    pair.a,
    `SELECT (SELECT id FROM log.epoch) || '.' || position || '.' || id AS id FROM log.events ORDER BY position DESC LIMIT 1`,
  );
  await queryDatabase(pair.b, 'UPDATE state.feed_cursors SET cursor = $1', [last?.id]);
}

it('says that two servers are in sync, also when their stages differ and packages were removed', async () => {
  const { digest } = await upload('both.pkg');
  await upload('test-only.pkg', 'Test');
  const { id } = await upload('removed.pkg');
  await waitFor(
    'the copies on B',
    async () => (await pair.b.servedDigest('both.pkg')) === digest && (await pair.b.download('removed.pkg')).ok,
  );
  await (await pair.a.client()).ask('mutation ($id: ID!) { removePackage(id: $id) { id } }', z.unknown(), { id });
  const since = new Date();
  await waitFor('the removal on B', async () => (await pair.b.download('removed.pkg')).status === 404);
  await waitForSync(since, pair.a, pair.b);
  expect(await comparison(pair.a)).toMatchObject({ inSync: true, differences: 0 });
});

it('finds and mends what the feed did not tell', async () => {
  const gone = await upload('will-go.pkg');
  const demoted = await upload('will-be-demoted.pkg');
  await waitFor(
    'the copies on B',
    async () =>
      (await pair.b.servedDigest('will-go.pkg')) === gone.digest &&
      (await pair.b.servedDigest('will-be-demoted.pkg')) === demoted.digest,
  );
  pair.proxy.refusing = true;
  pair.proxy.cut(/(?:)/);
  const client = await pair.a.client();
  const fresh = await upload('unheard-of.pkg');
  await client.ask('mutation ($id: ID!) { removePackage(id: $id) { id } }', z.unknown(), { id: gone.id });
  await client.ask('mutation ($id: ID!) { setPackageStage(id: $id, stage: Test) { id } }', z.unknown(), {
    id: demoted.id,
  });
  await skipNews();
  const since = new Date();
  pair.proxy.refusing = false;
  await waitFor('the lost package', async () => (await pair.b.servedDigest('unheard-of.pkg')) === fresh.digest);
  await waitFor('the lost removal', async () => (await pair.b.download('will-go.pkg')).status === 404);
  await waitFor('the lost demotion', async () => (await pair.b.download('will-be-demoted.pkg')).status === 404);
  expect((await shown(pair.b, gone.id)).state).toBe('REMOVED');
  await waitForSync(since, pair.a, pair.b);
});
