import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { runningSettings } from '../../src/adapters/database/embedded/running.js';
import { startPair, type Pair } from '../support/pair.js';
import { sha256, type ServerUnderTest } from '../support/server-under-test.js';
import { dumpTables } from '../support/table-dump.js';
import { waitFor } from '../support/wait-for.js';

const script = fileURLToPath(new URL('../../scripts/rebuild.mjs', import.meta.url));
const Listed = z.object({ packages: z.object({ edges: z.array(z.object({ node: z.object({ filename: z.string() }) })) }) });

let pair: Pair;
beforeAll(async () => {
  pair = await startPair();
  for (const [i, stage] of ['Dev', 'Test', 'Prod'].entries()) {
    await pair.a.put(`package-${i}.pkg`, randomBytes(2_000_000 * i), `?stage=${stage}`);
  }
  await pair.a.put('package-2.pkg', randomBytes(10));
  const { package: found } = await (await pair.a.client()).ask(
    '{ package(filename: "package-1.pkg") { id } }',
    z.object({ package: z.object({ id: z.string() }) }),
  );
  await (await pair.a.client()).ask('mutation ($id: ID!) { setPackageStage(id: $id, stage: Prod) { id } }', z.unknown(), found);
  await waitFor('the newest content on B', async () => (await pair.b.download('package-2.pkg')).headers.get('content-length') === '10');
  await waitFor('the promoted package on B', async () => (await pair.b.download('package-1.pkg')).ok);
});
afterAll(() => pair.dispose());

async function tables(server: ServerUnderTest): Promise<Record<string, string[]>> {
  const database = await runningSettings(server.dataDir);
  if (!database) throw new Error('no database');
  return dumpTables(database, 'read');
}

/** Once nothing moves any more: two dumps in a row are the same. */
async function settledTables(server: ServerUnderTest): Promise<Record<string, string[]>> {
  let last = '';
  return waitFor('the read models to settle', async () => {
    const now = await tables(server);
    const same = JSON.stringify(now) === last;
    last = JSON.stringify(now);
    return same && now;
  });
}

it.each(['a', 'b'] as const)('gives the same rows on %s, which answers all the while and goes on afterwards', async (name) => {
  const server = pair[name];
  const client = await server.client();
  const before = await settledTables(server);
  expect(before['packages']?.length).toBeGreaterThan(2);

  const rebuilt = new AbortController();
  let answers = 0;
  const asking = (async () => {
    while (!rebuilt.signal.aborted) {
      const listed = await client.ask('{ packages(first: 10) { edges { node { filename } } } }', Listed);
      expect(listed.packages.edges.length).toBeGreaterThan(2);
      answers += 1;
    }
  })();
  await promisify(execFile)(process.execPath, [script], { env: { ...process.env, ODST_DATA_DIR: server.dataDir } });
  rebuilt.abort();
  await asking;
  expect(answers).toBeGreaterThan(0);
  expect(await settledTables(server)).toEqual(before);

  const bytes = randomBytes(5000);
  expect((await server.put(`after-${name}.pkg`, bytes)).status).toBe(201);
  expect(await server.servedDigest(`after-${name}.pkg`)).toBe(sha256(bytes));
});

it('builds them with the server down as well', async () => {
  const before = await settledTables(pair.a);
  await pair.a.stop();
  await promisify(execFile)(process.execPath, [script], { env: { ...process.env, ODST_DATA_DIR: pair.a.dataDir } });
  await pair.a.start();
  expect(await settledTables(pair.a)).toEqual(before);
});
