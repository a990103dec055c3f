import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { waitForSync } from '../../support/in-sync.js';
import { localReplica, startPair, type Pair } from '../../support/pair.js';
import { sha256, type ServerUnderTest } from '../../support/server-under-test.js';
import { waitFor } from '../../support/wait-for.js';

const MIB = 1024 * 1024;
let pair: Pair;
beforeEach(async () => (pair = await startPair()));
afterEach(() => pair.dispose());

const Id = z.object({ id: z.string() });

/** Runs a mutation of a server on its only peer. */
async function onPeer(server: ServerUnderTest, mutation: string): Promise<void> {
  const client = await server.client();
  const [peer] = (await client.ask('{ peers { id } }', z.object({ peers: z.array(Id) }))).peers;
  await client.ask(`mutation { ${mutation.replace('$id', JSON.stringify(peer?.id))} }`, z.unknown());
}

const update = (server: ServerUnderTest, change: string) =>
  onPeer(server, `updatePeer(id: $id, ${change}) { direction }`);

async function upload(server: ServerUnderTest, filename: string, bytes = randomBytes(100_000)) {
  const response = await server.put(filename, bytes);
  return { filename, digest: sha256(bytes), id: Id.parse(await response.json()).id };
}

/** The package is on the other server, whole. */
const arrives = (server: ServerUnderTest, { filename, digest }: { filename: string; digest: string }, ms?: number) =>
  waitFor(`${filename} on ${server.name}`, async () => (await server.servedDigest(filename)) === digest, ms);

const logged = (server: ServerUnderTest, words: RegExp) =>
  waitFor(`${words} in the log of ${server.name}`, () => words.test(server.output));

async function delayOf(server: ServerUnderTest, id: string): Promise<{ code: string; reason: string } | null> {
  const Delay = z.object({ code: z.string(), reason: z.string() }).nullable();
  const Replicas = z.object({
    package: z.object({ replicas: z.array(z.object({ local: z.boolean(), delay: Delay })) }).nullable(),
  });
  const query = 'query ($id: ID!) { package(id: $id) { replicas { local delay { code reason } } } }';
  const answer = await (await server.client()).ask(query, Replicas, { id });
  return answer.package?.replicas.find(({ local }) => local)?.delay ?? null;
}

/** Windows, in the time zone of this machine, that open in twelve hours. */
function closedNow(): string {
  const hour = String((new Date().getHours() + 12) % 24).padStart(2, '0');
  return `windows: [{ days: [MON, TUE, WED, THU, FRI, SAT, SUN], from: "${hour}:00", to: "${hour}:05" }]`;
}

describe('a peer that is SEND_ONLY', () => {
  it('gets packages, and nothing is taken from it until that changes', async () => {
    const { a, b } = pair;
    await update(a, 'direction: SEND_ONLY');
    const theirs = await upload(b, 'theirs.pkg');
    await arrives(b, await upload(a, 'ours.pkg'));
    expect(await localReplica(a, theirs.id)).toBeNull();
    await update(a, 'direction: SEND_RECEIVE');
    await arrives(a, theirs);
  });
});

describe('a peer that is RECEIVE_ONLY', () => {
  it('gets nothing, is told why, and packages are taken from it; it goes on by itself when that changes', async () => {
    const { a, b } = pair;
    await arrives(b, await upload(a, 'before.pkg'));
    await update(a, 'direction: RECEIVE_ONLY');
    await logged(b, /Cannot follow a: it sends nothing to this server.*RECEIVE_ONLY/);
    const ours = await upload(a, 'ours.pkg');
    await arrives(a, await upload(b, 'theirs.pkg'));
    expect(await localReplica(b, ours.id)).toBeNull();
    // What is kept from it on purpose is no difference.
    await waitForSync(new Date(), a);
    await update(a, 'direction: SEND_RECEIVE');
    await arrives(b, ours, 120_000);
  });
});

it('a suspended peer exchanges nothing, and all of it when it is resumed', async () => {
  const { a, b } = pair;
  await arrives(b, await upload(a, 'before.pkg'));
  await onPeer(a, 'suspendPeer(id: $id) { state }');
  await logged(b, /Cannot follow a: it has suspended the exchange/);
  const [ours, theirs] = [await upload(a, 'ours.pkg'), await upload(b, 'theirs.pkg')];
  expect([await localReplica(b, ours.id), await localReplica(a, theirs.id)]).toEqual([null, null]);
  await onPeer(a, 'resumePeer(id: $id) { state }');
  await arrives(a, theirs);
  await arrives(b, ours, 120_000);
});

describe('outside of a time window', () => {
  it('of the receiver nothing is fetched, but known, until the window opens', async () => {
    const { a, b } = pair;
    await update(b, `receive: { ${closedNow()} }`);
    const ours = await upload(a, 'ours.pkg');
    const delay = await waitFor('the delay', () => delayOf(b, ours.id));
    expect(delay).toMatchObject({
      code: 'OUTSIDE_WINDOW',
      reason: expect.stringMatching(/No package is fetched from a now.*opens at \d{4}-/),
    });
    expect(pair.proxy.requests.filter((line) => line.includes('/content'))).toEqual([]);
    await update(b, 'receive: { windows: [] }');
    await arrives(b, ours);
  });

  it('of the sender it refuses, and the receiver says so', async () => {
    const { a, b } = pair;
    await update(a, `send: { ${closedNow()} }`);
    const ours = await upload(a, 'ours.pkg');
    const delay = await waitFor('the delay', () => delayOf(b, ours.id));
    expect(delay).toMatchObject({
      code: 'OUTSIDE_WINDOW',
      reason: expect.stringMatching(/a sends no packages to this server now.*opens at \d{4}-/),
    });
    await update(a, 'send: { windows: [] }');
    // The receiver does not hear of that; whatever wakes its replicas will do.
    await update(b, 'receive: { bytesPerSecond: 1000000000 }');
    await arrives(b, ours);
  });
});

it.each(['send', 'receive'] as const)(
  'a limit on what is to %s slows a package down, and no more',
  async (direction) => {
    const { a, b } = pair;
    await update(direction === 'send' ? a : b, `${direction}: { bytesPerSecond: ${MIB} }`);
    const since = performance.now();
    await arrives(b, await upload(a, 'slow.pkg', randomBytes(5 * MIB)));
    expect((performance.now() - since) / 1000).toBeGreaterThan(4.5);
  },
);
