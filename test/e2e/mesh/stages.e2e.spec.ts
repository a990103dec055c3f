import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { ServerMesh } from '../../support/server-mesh.js';
import { ServerUnderTest, sha256 } from '../../support/server-under-test.js';
import { waitFor } from '../../support/wait-for.js';

const GRACE = { ODST_WITHDRAWN_GRACE: '30d' };
let mesh: ServerMesh;
beforeAll(async () => {
  mesh = await ServerMesh.start(['dev', 'test', 'prod'], ['dev-test', 'test-prod'], {
    dev: { ODST_STAGE: 'Dev' },
    test: GRACE,
    prod: { ODST_STAGE: 'Prod', ODST_WITHDRAWN_GRACE: '0s' },
  });
  await setOwnStage('test', 'Test');
});
afterAll(() => mesh.dispose());

const bytes = randomBytes(3_000_000);
let id = '';

const setOwnStage = (name: string, stage: string) =>
  mesh.ask(name, 'mutation ($stage: Stage!) { updateServer(stage: $stage) { stage } }', z.unknown(), { stage });
const setStage = (name: string, stage: string) =>
  mesh.ask(
    name,
    'mutation ($id: ID!, $stage: Stage!) { setPackageStage(id: $id, stage: $stage) { stage } }',
    z.unknown(),
    { id, stage },
  );
const isServed = async (name: string) => (await mesh.server(name).servedDigest('staged.pkg')) === sha256(bytes);
const isGone = async (name: string) => (await mesh.server(name).download('staged.pkg')).status === 404;
const hasFile = (name: string) => existsSync(join(mesh.server(name).dataDir, 'packages', id));
const WhyNot = z.object({ whyNot: z.object({ reasons: z.array(z.object({ code: z.string(), words: z.string() })) }) });
async function whyNot(asked: string, pkg: string, server: string) {
  const question =
    'query ($pkg: String!, $server: String!) { whyNot(package: $pkg, server: $server) { reasons { code words } } }';
  return (await mesh.ask(asked, question, WhyNot, { pkg, server })).whyNot.reasons;
}
const Stages = z.object({ peers: z.array(z.object({ name: z.string(), stage: z.string().nullable() })) });
const stageOf = async (asked: string, peer: string) =>
  (await mesh.ask(asked, '{ peers { name stage } }', Stages)).peers.find(({ name }) => name === peer)?.stage;
const fetched = async (name: string) => (await mesh.trail(name, ['ChunksVerified'], id)).length;

it('takes a package further with each promotion, and only so far', async () => {
  ({ id } = z.object({ id: z.string() }).parse(await (await mesh.server('dev').put('staged.pkg', bytes)).json()));
  await setStage('dev', 'Test');
  await waitFor('it on test', () => isServed('test'));
  expect(await isGone('prod')).toBe(true);
  await waitFor('test to know the stage of prod', async () => (await stageOf('test', 'prod')) === 'Prod');
  const stage = { code: 'STAGE', words: expect.stringContaining('prod takes packages from the stage Prod on') };
  expect((await whyNot('test', 'staged.pkg', 'prod'))[0]).toMatchObject(stage);
  expect((await whyNot('prod', id, 'prod'))[0]).toMatchObject(stage);
  expect((await whyNot('prod', 'staged.pkg', 'prod'))[0]).toMatchObject({ code: 'UNKNOWN_PACKAGE' });
  await setStage('test', 'Prod');
  await waitFor('it on prod', () => isServed('prod'));
});

it('takes it away with a demotion: from clients at once, from the disk after the grace time', async () => {
  await setStage('prod', 'Dev');
  for (const name of ['test', 'prod']) await waitFor(`it to be gone from ${name}`, () => isGone(name));
  await waitFor('its file to be gone from prod', () => !hasFile('prod'));
  expect(hasFile('test')).toBe(true);
  const asked = (await whyNot('dev', id, 'test'))[0];
  expect(asked).toMatchObject({
    code: 'STAGE',
    words: expect.stringContaining('test says: The package has the stage Dev'),
  });
  expect(await isServed('dev')).toBe(true);
});

it('takes the file back within the grace time, without fetching a byte', async () => {
  const before = await fetched('test');
  await setStage('dev', 'Test');
  await waitFor('it on test again', () => isServed('test'));
  expect(await fetched('test')).toBe(before);
});

it('follows the stage of the server itself, also while its peers are away', async () => {
  const before = await fetched('test');
  for (const name of ['dev', 'prod']) await mesh.server(name).stop();
  const isAway = async () => (await whyNot('test', id, 'prod')).some(({ code }) => code === 'PEER_AWAY');
  await waitFor('the reason that prod is away', isAway);
  await setOwnStage('test', 'Prod');
  await waitFor('it to be gone from test', () => isGone('test'));
  await setOwnStage('test', 'Dev');
  await waitFor('it on test again', () => isServed('test'));
  expect(await fetched('test')).toBe(before);
  for (const name of ['dev', 'prod']) await mesh.server(name).start();
});

it('follows a stage that is set at a start, keeps the file over it, and gives out what is uploaded only where its stage reaches', async () => {
  const test = mesh.server('test');
  await test.stop();
  const strict = new ServerUnderTest('test', { ...GRACE, ODST_STAGE: 'Prod' }, test.dataDir);
  strict.port = test.port;
  await strict.start();
  try {
    await waitFor('it to be gone from test', async () => (await strict.download('staged.pkg')).status === 404);
    expect(hasFile('test')).toBe(true);
    expect((await strict.put('below.pkg', randomBytes(10), '?stage=Dev')).status).toBe(201);
    expect((await strict.download('below.pkg')).status).toBe(404);
    await waitFor('it on dev', async () => (await mesh.server('dev').download('below.pkg')).ok);
  } finally {
    await strict.stop();
  }
  await strict.start();
  expect(hasFile('test')).toBe(true);
  await strict.stop();
});
