import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { localReplica, startPair, type Pair } from '../support/pair.js';
import { sha256 } from '../support/server-under-test.js';
import { waitFor } from '../support/wait-for.js';

const MIB = 1024 * 1024;
const Uploaded = z.object({ id: z.string() });

let pair: Pair;
beforeEach(async () => (pair = await startPair()));
afterEach(() => pair.dispose());

/** Changes one byte somewhere in the body of content answers. */
const damage = (piece: Buffer, head: string): Buffer => {
  if (!head.includes('/content') || piece.length < 4096) return piece;
  const changed = Buffer.from(piece);
  const at = changed.length - 100;
  changed.writeUInt8(changed.readUInt8(at) ^ 0xff, at);
  return changed;
};

async function auditKinds(server: Pair['b']): Promise<string[]> {
  const Trail = z.object({
    auditTrail: z.object({ edges: z.array(z.object({ node: z.object({ kind: z.string() }) })) }),
  });
  const { auditTrail } = await (
    await server.client()
  ).ask('{ auditTrail(first: 100) { edges { node { kind } } } }', Trail);
  return auditTrail.edges.map(({ node }) => node.kind);
}

it('rejects a chunk that was damaged on the way, records it, and fetches it again', async () => {
  let left = 1;
  pair.proxy.tamper = (piece, head) => {
    const changed = left > 0 ? damage(piece, head) : piece;
    if (changed !== piece) left -= 1;
    return changed;
  };
  const bytes = randomBytes(20 * MIB);
  await pair.a.put('damaged.pkg', bytes);
  await waitFor('the copy on B', async () => (await pair.b.servedDigest('damaged.pkg')) === sha256(bytes));
  expect(await auditKinds(pair.b)).toContain('ChunkRejected');
});

it('gives up on chunks that are always wrong, says why, and retryReplica makes it good', async () => {
  pair.proxy.tamper = damage;
  const bytes = randomBytes(3 * MIB);
  const { id } = Uploaded.parse(await (await pair.a.put('wrong.pkg', bytes)).json());
  const failed = await waitFor('the failure', async () => {
    const replica = await localReplica(pair.b, id);
    return replica?.state === 'FAILED' && replica;
  });
  expect(failed.failure?.code).toBe('CHUNK_REJECTED');
  expect(failed.failure?.reason).toMatch(/chunk/i);
  expect((await pair.b.download('wrong.pkg')).status).toBe(404);

  pair.proxy.tamper = (piece) => piece;
  await (
    await pair.b.client()
  ).ask('mutation ($id: ID!) { retryReplica(packageId: $id) { state } }', z.unknown(), { id });
  await waitFor('the copy on B', async () => (await pair.b.servedDigest('wrong.pkg')) === sha256(bytes));
});

it('misses nothing when the feed is cut and the peer is away for a while', async () => {
  await pair.a.put('before.pkg', randomBytes(10));
  await waitFor('the first copy', async () => (await pair.b.download('before.pkg')).ok);
  pair.proxy.refusing = true;
  expect(pair.proxy.cut(/feed/)).toBeGreaterThan(0);
  const files = Array.from({ length: 5 }, (_, i) => ({ name: `away-${i}.pkg`, bytes: randomBytes(1000 + i) }));
  for (const { name, bytes } of files) await pair.a.put(name, bytes);
  pair.proxy.refusing = false;
  for (const { name, bytes } of files) {
    await waitFor(name, async () => (await pair.b.servedDigest(name)) === sha256(bytes));
  }
  const resumed = pair.proxy.heads.findLast((head) => head.includes('/peer/v1/feed'));
  expect(resumed).toMatch(/last-event-id: \S+/i);
});
