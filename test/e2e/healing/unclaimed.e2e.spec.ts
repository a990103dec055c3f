import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { EmbeddedDatabase } from '../../../src/adapters/database/embedded/embedded-database.js';
import { runTool, urlOf } from '../../support/copy-tool.js';
import { ServerUnderTest, sha256 } from '../../support/server-under-test.js';
import { waitFor } from '../../support/wait-for.js';

const Uploaded = z.object({ id: z.string() });
const Unclaimed = z.object({
  unclaimedFiles: z.object({
    count: z.number(),
    size: z.number(),
    files: z.array(z.object({ name: z.string(), packageId: z.string().nullable(), size: z.number() })),
  }),
  problems: z.array(z.object({ kind: z.string(), count: z.number() })),
});
const QUERY = '{ unclaimedFiles { count size files { name packageId size } } problems { kind count } }';
const Deleted = z.object({ deleteUnclaimedFiles: z.object({ count: z.number(), size: z.number() }) });
const Trail = z.object({
  auditTrail: z.object({ edges: z.array(z.object({ node: z.object({ summary: z.string() }) })) }),
});

let server: ServerUnderTest;
const leftovers: string[] = [];
beforeEach(async () => (server = await new ServerUnderTest('storage').start()));
afterEach(async () => {
  await server.dispose();
  for (const path of leftovers.splice(0)) rmSync(path, { recursive: true, force: true });
});

async function upload(name: string, bytes = randomBytes(2_000_000)) {
  const { id } = Uploaded.parse(await (await server.put(name, bytes)).json());
  return { id, name, digest: sha256(bytes), bytes };
}

const packages = (...names: string[]): string => join(server.dataDir, 'packages', ...names);
const unclaimed = async () => (await server.client()).ask(QUERY, Unclaimed);
const lastWords = (output: string): string[] =>
  output
    .trim()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('{'));

it('keeps the files that an older database does not know, and takes one back when its package is known again', async () => {
  const kept = await upload('kept.pkg');
  await server.stop();
  const backup = `${server.dataDir}-backup`;
  leftovers.push(backup);
  cpSync(join(server.dataDir, 'postgres'), backup, { recursive: true });
  await server.start();
  const [later, other] = [await upload('later.pkg'), await upload('other.pkg')];
  await server.stop();

  rmSync(join(server.dataDir, 'postgres'), { recursive: true });
  cpSync(backup, join(server.dataDir, 'postgres'), { recursive: true });
  await server.start();
  expect(await server.servedDigest('kept.pkg')).toBe(kept.digest);
  expect(server.output).toContain('Moved files aside that no package and no replica of this database claims. Files: 2');
  const { unclaimedFiles, problems } = await unclaimed();
  expect(unclaimedFiles).toMatchObject({ count: 2, size: 4_000_000 });
  expect(unclaimedFiles.files.map(({ packageId }) => packageId).toSorted()).toEqual([later.id, other.id].toSorted());
  expect(problems).toEqual([{ kind: 'FILES_UNCLAIMED', count: 2 }]);

  // Published anew, it is known again.
  expect((await upload('later.pkg', later.bytes)).id).toBe(later.id);
  expect(await server.servedDigest('later.pkg')).toBe(later.digest);
  const verification = 'mutation ($id: ID!) { verifyPackage(id: $id) }';
  await (await server.client()).ask(verification, z.unknown(), { id: later.id });
  await waitFor('the copy aside to be dropped', async () => (await unclaimed()).unclaimedFiles.count === 1);
  const [file] = unclaimedFiles.files.filter(({ packageId }) => packageId === other.id);
  const deletion = 'mutation ($names: [String!]!) { deleteUnclaimedFiles(names: $names) { count size } }';
  const names = [file?.name, '../../secret.key', `packages/${kept.id}`];
  expect(await (await server.client()).ask(deletion, Deleted, { names })).toEqual({
    deleteUnclaimedFiles: { count: 1, size: 2_000_000 },
  });
  expect(await server.servedDigest('kept.pkg')).toBe(kept.digest);
  await waitFor('the entry of the audit trail', async () => {
    const trail = await (await server.client()).ask('{ auditTrail(first: 1) { edges { node { summary } } } }', Trail);
    return trail.auditTrail.edges[0]?.node.summary === 'Deleted 1 file that nothing claims, of 2000000 bytes';
  });
});

it('refuses an empty folder of packages, and serves them when the volume is mounted again', async () => {
  const one = await upload('one.pkg');
  await server.stop();
  renameSync(packages(), join(server.dataDir, 'volume'));
  mkdirSync(packages());
  const { code, output } = await server.runToEnd();
  expect(code).toBe(1);
  expect(lastWords(output)).toEqual([expect.stringMatching(/records 1 packages, but .* If it is a volume, mount it/)]);
  expect(readdirSync(packages())).toEqual([]);
  rmSync(packages(), { recursive: true });
  renameSync(join(server.dataDir, 'volume'), packages());
  await server.start();
  expect(await server.servedDigest('one.pkg')).toBe(one.digest);
});

it('serves a package again whose file was missing at a start and is back at the next, and while it runs', async () => {
  const [one, two] = [await upload('one.pkg'), await upload('two.pkg')];
  const aside = `${server.dataDir}-aside`;
  leftovers.push(aside);
  mkdirSync(aside);
  await server.stop();
  for (const { id } of [one, two]) renameSync(packages(id), join(aside, id));
  writeFileSync(packages('.server-id'), '');
  await server.start();
  await waitFor('the missing files to be noticed', async () => (await server.download('two.pkg')).status === 503);
  await server.stop();
  renameSync(join(aside, one.id), packages(one.id));
  await server.start();
  await waitFor('the file that is back', async () => (await server.servedDigest('one.pkg')) === one.digest);
  renameSync(join(aside, two.id), packages(two.id));
  const verify = 'mutation ($id: ID!) { verifyPackage(id: $id) }';
  await (await server.client()).ask(verify, z.unknown(), { id: two.id });
  await waitFor(
    'the file that is back while it runs',
    async () => (await server.servedDigest('two.pkg')) === two.digest,
  );
});

it('what the page about backups lists can be restored, and nothing less is started', async () => {
  const one = await upload('one.pkg');
  await server.stop();
  const backup = `${server.dataDir}-backup`;
  leftovers.push(backup);
  cpSync(server.dataDir, backup, { recursive: true });
  const restore = (...names: string[]): void => {
    rmSync(server.dataDir, { recursive: true });
    mkdirSync(server.dataDir);
    for (const name of names) cpSync(join(backup, name), join(server.dataDir, name), { recursive: true });
  };
  const listed = ['postgres', 'packages', 'staging', 'secret.key', 'server.id', 'database.json'];

  // The database was forgotten. An empty folder for it would become a new cluster.
  restore(...listed.filter((name) => name !== 'postgres'));
  const { code, output } = await server.runToEnd();
  expect(code).toBe(1);
  expect(lastWords(output)).toEqual([expect.stringMatching(/its database is not in it/)]);
  expect(readdirSync(packages())).toContain(one.id);

  for (const names of [listed, listed.filter((name) => !['server.id', 'staging', 'database.json'].includes(name))]) {
    restore(...names);
    await server.start();
    expect(await server.servedDigest('one.pkg')).toBe(one.digest);
    await server.stop();
  }
});

it('does not go on with the embedded database after the server has moved to another one', async () => {
  const folder = `${server.dataDir}-outside`;
  leftovers.push(folder);
  const outside = await EmbeddedDatabase.start(folder);
  const url = urlOf(outside.settings);
  const moved = new ServerUnderTest('storage', { DATABASE_URL: url }, server.dataDir);
  try {
    await server.stop();
    // A database that no server has used.
    const empty = await moved.runToEnd();
    expect(lastWords(empty.output)).toEqual([expect.stringMatching(/^No server has used the database/)]);
    expect((await runTool('--from', server.dataDir, '--to', url)).code).toBe(0);
    for (const step of ['after the copy', 'after the first start there', 'beside the running server']) {
      const { code, output } = await server.runToEnd();
      expect({ step, code }).toEqual({ step, code: 1 });
      expect(lastWords(output).at(-1)).toMatch(/has moved to the database odst at 127\.0\.0\.1:\d+/);
      expect(output).not.toContain(outside.settings.password);
      if (step === 'after the copy') await (await moved.start()).stop();
      if (step === 'after the first start there') await moved.start();
    }
  } finally {
    await moved.stop();
    await outside.stop();
  }
});
