import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readdirSync, writeSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { localReplica, startPair, type Pair } from '../support/pair.js';
import { sha256 } from '../support/server-under-test.js';
import { waitFor } from '../support/wait-for.js';

const MIB = 1024 * 1024;
const Uploaded = z.object({ id: z.string() });
const Summaries = z.object({
  auditTrail: z.object({ edges: z.array(z.object({ node: z.object({ summary: z.string() }) })) }),
});
const staged = (dataDir: string): string[] => readdirSync(join(dataDir, 'staging'));

let pair: Pair;
beforeEach(async () => (pair = await startPair()));
afterEach(() => pair.dispose());

it('SIGKILL during an upload: nothing of it is left or served, what was answered before is there', async () => {
  const before = randomBytes(3 * MIB);
  expect((await pair.a.put('before.pkg', before)).status).toBe(201);

  const { token } = await pair.a.client();
  const upload = request(`${pair.a.url}/api/packages/half.pkg`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-length': 64 * MIB },
  });
  upload.on('error', () => undefined);
  upload.write(randomBytes(20 * MIB));
  await waitFor('the upload to reach the disk', () => staged(pair.a.dataDir).length > 0);
  await pair.a.kill();
  await pair.a.start();

  expect(await pair.a.servedDigest('before.pkg')).toBe(sha256(before));
  expect((await pair.a.download('half.pkg')).status).toBe(404);
  expect(staged(pair.a.dataDir)).toEqual([]);
  await waitFor('the copy on B', async () => (await pair.b.servedDigest('before.pkg')) === sha256(before));
});

it('SIGKILL right after the 201: the package is served after the restart', async () => {
  const bytes = randomBytes(2 * MIB);
  expect((await pair.a.put('answered.pkg', bytes)).status).toBe(201);
  await pair.a.kill();
  await pair.a.start();
  expect(await pair.a.servedDigest('answered.pkg')).toBe(sha256(bytes));
});

it('SIGKILL of B during replication: only what is missing is fetched afterwards', async () => {
  const bytes = randomBytes(96 * MIB);
  const size = bytes.length;
  let passed = 0;
  // Lets about half of the content through, then holds the rest back until B was killed.
  pair.proxy.tamper = (piece, head) => {
    if (!head.includes('/content')) return piece;
    if (passed > size / 2) return null;
    passed += piece.length;
    return piece;
  };
  const { id } = Uploaded.parse(await (await pair.a.put('big.pkg', bytes)).json());
  const verified = await waitFor('half of the chunks', async () => {
    const replica = await localReplica(pair.b, id);
    return passed > size / 2 && replica && replica.verifiedChunks > 10 && replica.verifiedChunks;
  });
  await pair.b.kill();
  pair.proxy.cut(/content/);
  let again = 0;
  pair.proxy.tamper = (piece, head) => {
    if (head.includes('/content')) again += piece.length;
    return piece;
  };
  await pair.b.start();
  await waitFor('the copy on B', async () => (await pair.b.servedDigest('big.pkg')) === sha256(bytes));
  expect(again).toBeLessThanOrEqual(size - verified * MIB + 2 * MIB);
  expect(again).toBeGreaterThan(0);
  await waitFor('an empty staging folder', () => staged(pair.b.dataDir).length === 0);
});

it('power cut at B that loses verified bytes: just those are fetched again', async () => {
  const bytes = randomBytes(40 * MIB);
  // The third run, of the last 8 chunks, stays away until B was killed.
  pair.proxy.tamper = (piece, head) =>
    head.includes('/content') && /range: bytes=33554432-/i.test(head) ? null : piece;
  const { id } = Uploaded.parse(await (await pair.a.put('big.pkg', bytes)).json());
  await waitFor('two runs of chunks', async () => (await localReplica(pair.b, id))?.verifiedChunks === 32);
  await pair.b.kill();
  pair.proxy.cut(/content/);
  const file = openSync(join(pair.b.dataDir, 'staging', `replica-${id}`), 'r+');
  writeSync(file, Buffer.alloc(MIB + 1), 0, MIB + 1, 3 * MIB - 1);
  writeSync(file, Buffer.alloc(4096), 0, 4096, 20 * MIB);
  closeSync(file);
  let again = 0;
  pair.proxy.tamper = (piece, head) => {
    if (head.includes('/content')) again += piece.length;
    return piece;
  };
  await pair.b.start();
  await waitFor('the copy on B', async () => (await pair.b.servedDigest('big.pkg')) === sha256(bytes));
  expect(again).toBeLessThan((8 + 3 + 1) * MIB);
  const query =
    '{ auditTrail(first: 10, filter: { kinds: ["ChunksLost", "ReplicaFailed"] }) { edges { node { summary } } } }';
  const { auditTrail } = await (await pair.b.client()).ask(query, Summaries);
  expect(auditTrail.edges.map(({ node }) => node.summary)).toEqual([
    "Found 3 chunks of big.pkg damaged on this server's disk: fetching again",
  ]);
});

it('SIGKILL of A during replication: B goes on when A is back', async () => {
  const bytes = randomBytes(64 * MIB);
  let passed = 0;
  pair.proxy.tamper = (piece, head) => {
    if (head.includes('/content')) passed += piece.length;
    return passed > 20 * MIB ? null : piece;
  };
  await pair.a.put('big.pkg', bytes);
  await waitFor('some of it to pass', () => passed > 20 * MIB);
  await pair.a.kill();
  pair.proxy.cut(/(?:)/);
  pair.proxy.tamper = (piece) => piece;
  await pair.a.start();
  await waitFor('the copy on B', async () => (await pair.b.servedDigest('big.pkg')) === sha256(bytes));
  expect(await pair.a.servedDigest('big.pkg')).toBe(sha256(bytes));
});
