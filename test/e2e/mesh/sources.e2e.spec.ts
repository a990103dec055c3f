import { randomBytes } from 'node:crypto';
import { afterEach, expect, it, vi } from 'vitest';
import { z } from 'zod';
import type { FaultProxy } from '../../support/fault-proxy.js';
import { link } from '../../support/links.js';
import { localReplica } from '../../support/pair.js';
import { ServerUnderTest, sha256 } from '../../support/server-under-test.js';
import { waitFor } from '../../support/wait-for.js';

/** Up to four servers a test, started side by side. */
vi.setConfig({ testTimeout: 300_000 });

const MIB = 1024 * 1024;
const LONG_MS = 150_000;
const Uploaded = z.object({ id: z.string() });

const servers: ServerUnderTest[] = [];
const proxies: FaultProxy[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.dispose()));
  await Promise.all(proxies.splice(0).map((proxy) => proxy.stop()));
});

async function start(...names: string[]): Promise<ServerUnderTest[]> {
  const started = names.map((name) => new ServerUnderTest(name));
  servers.push(...started);
  await Promise.all(started.map((server) => server.start()));
  return started;
}

async function linked(from: ServerUnderTest, to: ServerUnderTest): Promise<FaultProxy> {
  const proxy = await link(from, to);
  proxies.push(proxy);
  return proxy;
}

const put = async (server: ServerUnderTest, name: string, bytes: Buffer): Promise<string> =>
  Uploaded.parse(await (await server.put(name, bytes)).json()).id;

const chunksOf = async (server: ServerUnderTest, id: string): Promise<number> =>
  (await localReplica(server, id))?.verifiedChunks ?? 0;

const served = (server: ServerUnderTest, name: string, bytes: Buffer): Promise<unknown> =>
  waitFor(`${name} on ${server.name}`, async () => (await server.servedDigest(name)) === sha256(bytes), LONG_MS);

it('passes chunks down a chain while the first server still fetches', async () => {
  const [a, b, c, d] = (await start('a', 'b', 'c', 'd')) as [
    ServerUnderTest,
    ServerUnderTest,
    ServerUnderTest,
    ServerUnderTest,
  ];
  const first = await linked(b, a);
  const links = [first, await linked(c, b), await linked(d, c)];
  first.limitContent(30 * MIB);
  const bytes = randomBytes(64 * MIB);
  const id = await put(a, 'chain.pkg', bytes);
  await waitFor('chunks on D', async () => (await chunksOf(d, id)) > 0, LONG_MS);
  expect(await chunksOf(b, id)).toBeLessThan(64);
  first.limitContent(Number.POSITIVE_INFINITY);
  for (const server of [d, c, b]) await served(server, 'chain.pkg', bytes);
  expect(links.map(({ contentBytes }) => contentBytes >= 64 * MIB)).toEqual([true, true, true]);
});

it('fetches each byte once, from two servers that have it', async () => {
  const [a, b, c] = (await start('a', 'b', 'c')) as [ServerUnderTest, ServerUnderTest, ServerUnderTest];
  await linked(b, a);
  const bytes = randomBytes(64 * MIB);
  await put(a, 'twice.pkg', bytes);
  await served(b, 'twice.pkg', bytes);
  const fromA = await linked(c, a);
  const fromB = await linked(c, b);
  await served(c, 'twice.pkg', bytes);
  const sum = fromA.contentBytes + fromB.contentBytes;
  expect(sum).toBeGreaterThanOrEqual(64 * MIB);
  expect(sum).toBeLessThan(64 * MIB + 64 * 1024);
});

it('goes on with the other source when one dies in the middle', async () => {
  const [a, b, c] = (await start('a', 'b', 'c')) as [ServerUnderTest, ServerUnderTest, ServerUnderTest];
  await linked(b, a);
  const fromA = await linked(c, a);
  const fromB = await linked(c, b);
  for (const proxy of [fromA, fromB]) proxy.contentRate = 8 * MIB;
  fromB.tamper = (piece) => {
    if (fromB.contentBytes > 10 * MIB) fromB.refusing = true;
    if (fromB.refusing) setImmediate(() => fromB.cut(/(?:)/));
    return fromB.refusing ? null : piece;
  };
  const bytes = randomBytes(64 * MIB);
  await put(a, 'dies.pkg', bytes);
  await served(b, 'dies.pkg', bytes);
  await served(c, 'dies.pkg', bytes);
});

it('exchanges what two servers have while the origin is away, and goes on when it is back', async () => {
  const [a, b, c] = (await start('a', 'b', 'c')) as [ServerUnderTest, ServerUnderTest, ServerUnderTest];
  const links = [await linked(b, a), await linked(c, a)];
  await linked(c, b);
  for (const proxy of links) proxy.limitContent(20 * MIB);
  const bytes = randomBytes(64 * MIB);
  const id = await put(a, 'away.pkg', bytes);
  await waitFor(
    'content to pass on both links',
    () => links.every(({ contentBytes }) => contentBytes >= 20 * MIB),
    LONG_MS,
  );
  for (const proxy of links) {
    proxy.refusing = true;
    proxy.cut(/(?:)/);
  }
  await waitFor(
    'the same chunks on B and C',
    async () => {
      const [onB, onC] = await Promise.all([chunksOf(b, id), chunksOf(c, id)]);
      return onB > 0 && onB === onC;
    },
    LONG_MS,
  );
  expect(await chunksOf(b, id)).toBeLessThan(64);
  for (const proxy of links) {
    proxy.limitContent(Number.POSITIVE_INFINITY);
    proxy.refusing = false;
  }
  for (const server of [b, c]) await served(server, 'away.pkg', bytes);
});
