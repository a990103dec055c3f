import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { runningSettings } from '../../src/adapters/database/embedded/embedded-database.js';
import { startPair, type Pair } from '../support/pair.js';
import { sha256, type ServerUnderTest } from '../support/server-under-test.js';
import { dumpTables } from '../support/table-dump.js';
import { waitFor } from '../support/wait-for.js';

const script = fileURLToPath(new URL('../../scripts/rebuild.mjs', import.meta.url));
const Listed = z.object({
  packages: z.object({ edges: z.array(z.object({ node: z.object({ filename: z.string() }) })) }),
});

let pair: Pair;
beforeAll(async () => {
  // While the rows are built again, the lists are asked for without a break.
  const rate = { ODST_GRAPHQL_RATE: '99999' };
  pair = await startPair({ a: rate, b: rate });
  for (const [i, stage] of ['Dev', 'Test', 'Prod'].entries()) {
    await pair.a.put(`package-${i}.pkg`, randomBytes(2_000_000 * i), `?stage=${stage}&allowEmpty=true`);
  }
  await pair.a.put('package-2.pkg', randomBytes(10));
  const { package: found } = await (
    await pair.a.client()
  ).ask('{ package(filename: "package-1.pkg") { id } }', z.object({ package: z.object({ id: z.string() }) }));
  await (
    await pair.a.client()
  ).ask('mutation ($id: ID!) { setPackageStage(id: $id, stage: Prod) { id } }', z.unknown(), found);
  await waitFor(
    'the newest content on B',
    async () => (await pair.b.download('package-2.pkg')).headers.get('content-length') === '10',
  );
  await waitFor('the promoted package on B', async () => (await pair.b.download('package-1.pkg')).ok);
});
afterAll(() => pair.dispose());

type Tables = Record<string, string[]>;

async function tables(server: ServerUnderTest): Promise<Tables> {
  const database = await runningSettings(server.dataDir);
  if (!database) throw new Error('no database');
  return dumpTables(database, 'read');
}

/** The rows once both servers have each other's packages, know it of each other, and show the whole log. */
async function settledTables(server: ServerUnderTest): Promise<Tables> {
  const settled = await waitFor('the read models to settle', async () => {
    const [a, b] = [await tables(pair.a), await tables(pair.b)];
    return isSettled(a, 1) && isSettled(b, 0) && (server === pair.a ? a : b);
  });
  // Where a reader stands in the log depends on what it skipped; the rows do not.
  const { checkpoints: _, ...rows } = settled;
  return rows;
}

function isSettled({ checkpoints = [], replicas = [], packages = [] }: Tables, onlyHere: number): boolean {
  const cursors = new Set(checkpoints.map((row) => row.split(',').at(-1)));
  const published = replicas.filter((row) => row.includes('PUBLISHED')).length;
  return cursors.size === 1 && published === 2 * packages.length - onlyHere && published === replicas.length;
}

it.each(['a', 'b'] as const)(
  'gives the same rows on %s, which answers all the while and goes on afterwards',
  async (name) => {
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
  },
);

it('builds them with the server down as well', async () => {
  const before = await settledTables(pair.a);
  await pair.a.stop();
  await promisify(execFile)(process.execPath, [script], { env: { ...process.env, ODST_DATA_DIR: pair.a.dataDir } });
  await pair.a.start();
  expect(await settledTables(pair.a)).toEqual(before);
});
