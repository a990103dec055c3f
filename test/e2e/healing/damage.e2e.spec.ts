import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { cutOff, deleteFile, flipBytes, mending, shown, verify } from '../../support/damage.js';
import { eventsOf } from '../../support/log-of.js';
import { startPair, type Pair } from '../../support/pair.js';
import { sha256 } from '../../support/server-under-test.js';
import { waitFor } from '../../support/wait-for.js';

const MIB = 1024 * 1024;
const Uploaded = z.object({ id: z.string() });

let pair: Pair;
beforeAll(async () => (pair = await startPair()));
afterAll(() => pair.dispose());

/** A package of 20 chunks and a bit that both servers hold, each knowing it of the other. */
async function spread(name: string): Promise<{ id: string; digest: string }> {
  const bytes = randomBytes(20 * MIB + 1000);
  const { id } = Uploaded.parse(await (await pair.a.put(name, bytes, '?stage=Prod')).json());
  await waitFor('the copy on B', async () => (await pair.b.servedDigest(name)) === sha256(bytes));
  await waitFor(
    'A to know of it',
    async () => (await shown(pair.a, id)).replicas.filter(({ state }) => state === 'PUBLISHED').length === 2,
  );
  return { id, digest: sha256(bytes) };
}

describe.each(['a', 'b'] as const)('a stored file on %s', (name) => {
  const other = name === 'a' ? 'b' : 'a';
  const mended = async (id: string, digest: string, file: string) => {
    const outcome = await waitFor('the file to be mended', () => mending(pair[name], id));
    await waitFor('it to be served', async () => (await pair[name].servedDigest(file)) === digest);
    await waitFor('the other server to know', async () =>
      (await shown(pair[other], id)).replicas.every(({ state }) => state === 'PUBLISHED'),
    );
    return outcome;
  };

  it('has changed bytes: only the bad chunks are fetched', async () => {
    const file = `flipped-${name}.pkg`;
    const { id, digest } = await spread(file);
    await flipBytes(pair[name], id, 3, 7, 8, 20);
    const before = (await shown(pair[name], id)).lastVerifiedAt;
    await verify(pair[name], id);
    const { damage, fetchedChunks } = await mended(id, digest, file);
    expect(damage.data).toMatchObject({
      missing: false,
      runs: [
        { first: 3, count: 1 },
        { first: 7, count: 2 },
        { first: 20, count: 1 },
      ],
    });
    expect(fetchedChunks).toBe(4);
    await waitFor('it to count as verified anew', async () => (await shown(pair[name], id)).lastVerifiedAt !== before);
    const types = (await eventsOf(pair[name], id)).map(({ type }) => type);
    expect(types.includes('PackageDamaged')).toBe(name === 'a');
  });

  it('was cut off: a download notices, and only what is lacking is fetched', async () => {
    const file = `cut-${name}.pkg`;
    const { id, digest } = await spread(file);
    await cutOff(pair[name], id, 18 * MIB + 5);
    await pair[name].servedDigest(file).catch(() => null);
    expect((await mended(id, digest, file)).fetchedChunks).toBe(3);
  });

  it('is gone: a download notices, and all of it is fetched', async () => {
    const file = `gone-${name}.pkg`;
    const { id, digest } = await spread(file);
    await deleteFile(pair[name], id);
    await waitFor('a download that is refused', async () => (await pair[name].download(file)).status === 503);
    const { damage, fetchedChunks } = await mended(id, digest, file);
    expect(damage.data).toMatchObject({ missing: true });
    expect(fetchedChunks).toBe(21);
  });
});

it('is served by nobody who has it damaged, says why while it cannot be mended, and outlives restarts', async () => {
  const { id, digest } = await spread('waits.pkg');
  pair.proxy.refusing = true;
  pair.proxy.cut(/./);
  await flipBytes(pair.b, id, 5);
  await verify(pair.b, id);
  await waitFor('B to show the damage', async () => (await shown(pair.b, id)).state === 'DAMAGED');
  expect((await pair.b.download('waits.pkg')).status).toBe(503);
  await waitFor('A to know', async () =>
    (await shown(pair.a, id)).replicas.some(({ local, state }) => !local && state !== 'PUBLISHED'),
  );
  await waitFor('the delay', async () =>
    (await shown(pair.b, id)).replicas.some(({ delay }) => delay?.code === 'PEER_UNREACHABLE'),
  );
  await pair.b.kill();
  await pair.b.start();
  expect((await pair.b.download('waits.pkg')).status).toBe(503);
  pair.proxy.refusing = false;
  await waitFor('B to serve it', async () => (await pair.b.servedDigest('waits.pkg')) === digest);
  expect((await mending(pair.b, id))?.fetchedChunks).toBe(1);
});

it('waits for a source when nobody has it, and the same upload puts it right', async () => {
  const bytes = randomBytes(3 * MIB);
  const client = await pair.a.client();
  const { id } = Uploaded.parse(await (await pair.a.put('alone.pkg', bytes, '?stage=Test')).json());
  await client.ask('mutation { updateServer(stage: Test) { id } }', z.unknown());
  await waitFor('A to serve it', async () => (await pair.a.servedDigest('alone.pkg')) === sha256(bytes));
  await flipBytes(pair.a, id, 1);
  await verify(pair.a, id);
  await waitFor('the delay', async () =>
    (await shown(pair.a, id)).replicas.some(({ delay }) => delay?.code === 'NO_SOURCE'),
  );
  expect((await pair.a.download('alone.pkg')).status).toBe(503);
  await pair.a.put('alone.pkg', bytes, '?stage=Test');
  await waitFor('A to serve it again', async () => (await pair.a.servedDigest('alone.pkg')) === sha256(bytes));
  const { state, replicas } = await shown(pair.a, id);
  expect({ state, replicas }).toEqual({
    state: 'AVAILABLE',
    replicas: [{ local: true, state: 'PUBLISHED', delay: null }],
  });
});

it('is found at the start when it is missing', async () => {
  const { id, digest } = await spread('start.pkg');
  await pair.b.stop();
  await deleteFile(pair.b, id);
  await pair.b.start();
  await waitFor('B to serve it', async () => (await pair.b.servedDigest('start.pkg')) === digest);
  const Scrub = z.object({
    scrub: z.object({ state: z.string(), bytesPerSecond: z.number(), damagedFound: z.number() }),
  });
  const { scrub } = await (
    await pair.b.client()
  ).ask('{ scrub { state bytesPerSecond damagedFound lastFinishedAt } }', Scrub);
  expect(scrub).toMatchObject({ state: 'WAITING', bytesPerSecond: 20 * MIB });
  expect(scrub.damagedFound).toBeGreaterThan(0);
});
