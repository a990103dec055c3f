import { randomBytes } from 'node:crypto';
import { cpSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { shown } from '../../support/damage.js';
import { waitForSync } from '../../support/in-sync.js';
import { startPair, type Pair } from '../../support/pair.js';
import { sha256, type ServerUnderTest } from '../../support/server-under-test.js';
import { waitFor } from '../../support/wait-for.js';

const Uploaded = z.object({ id: z.string() });

let pair: Pair;
let backup: string;
beforeAll(async () => {
  pair = await startPair();
  backup = `${pair.a.dataDir}-backup`;
});
afterAll(async () => {
  await pair.dispose();
  rmSync(backup, { recursive: true, force: true });
});

async function upload(server: ServerUnderTest, name: string): Promise<{ id: string; name: string; digest: string }> {
  const bytes = randomBytes(3_000_000);
  const { id } = Uploaded.parse(await (await server.put(name, bytes)).json());
  return { id, name, digest: sha256(bytes) };
}

const arrival = (server: ServerUnderTest, { name, digest }: { name: string; digest: string }): Promise<unknown> =>
  waitFor(`${name} on ${server.name}`, async () => (await server.servedDigest(name)) === digest);

it('converges when a server is put back to an old backup and goes on from there', async () => {
  const { a, b } = pair;
  const kept = await upload(a, 'kept.pkg');
  const removed = await upload(a, 'removed.pkg');
  await Promise.all([arrival(b, kept), arrival(b, removed)]);
  await a.stop();
  cpSync(a.dataDir, backup, { recursive: true });

  await a.start();
  const later = await upload(a, 'later.pkg');
  await (
    await a.client()
  ).ask('mutation ($id: ID!) { removePackage(id: $id) { id } }', z.unknown(), { id: removed.id });
  await arrival(b, later);
  await waitFor('the removal on B', async () => (await b.download('removed.pkg')).status === 404);
  await a.stop();
  const elsewhere = await upload(b, 'elsewhere.pkg');

  rmSync(a.dataDir, { recursive: true });
  cpSync(backup, a.dataDir, { recursive: true });
  rmSync(`${a.dataDir}/packages/${kept.id}`);
  await a.start();
  const since = new Date();
  // The log grows over the place that B had read up to.
  const again = await Promise.all(Array.from({ length: 12 }, (_, i) => upload(a, `again-${i}.pkg`)));
  for (const one of again) await arrival(b, one);
  await Promise.all([arrival(a, kept), arrival(a, later), arrival(a, elsewhere)]);
  await waitFor('the removal on A', async () => (await shown(a, removed.id)).state === 'REMOVED');
  expect((await a.download('removed.pkg')).status).toBe(404);
  expect((await b.download('removed.pkg')).status).toBe(404);
  await waitForSync(since, a, b);
});
