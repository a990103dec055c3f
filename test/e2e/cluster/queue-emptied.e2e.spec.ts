import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { localReplica, startPair, type Pair } from '../../support/pair.js';
import { lacksRedis, RedisUnderTest } from '../../support/redis.js';
import { sha256 } from '../../support/server-under-test.js';
import { waitFor } from '../../support/wait-for.js';

const MIB = 1024 * 1024;
const Uploaded = z.object({ id: z.string() });

describe.skipIf(lacksRedis())('the queue of B is in Redis', { timeout: 400_000 }, () => {
  let redis: RedisUnderTest;
  let pair: Pair;
  beforeEach(async () => {
    redis = await RedisUnderTest.start();
    pair = await startPair({ b: { REDIS_URL: redis.url } });
  });
  afterEach(async () => {
    await pair.dispose();
    await redis.dispose();
  });

  it('FLUSHALL during a replication: the work is found again from the log, and ends with the right bytes', async () => {
    const bytes = randomBytes(200 * MIB);
    let passed = 0;
    let isHeld = true;
    // Some of the content gets through; the rest stays away until Redis was emptied.
    pair.proxy.tamper = (piece, head) => {
      if (!isHeld || !head.includes('/content')) return piece;
      if (passed > 60 * MIB) return null;
      passed += piece.length;
      return piece;
    };
    const { id } = Uploaded.parse(await (await pair.a.put('big.pkg', bytes)).json());
    await waitFor(
      'some verified chunks',
      async () => passed > 60 * MIB && ((await localReplica(pair.b, id))?.verifiedChunks ?? 0) > 10,
    );
    expect(await redis.keys()).not.toEqual([]);
    await redis.flushAll();
    isHeld = false;
    // Not the feed: a peer that comes back would wake the replicas too.
    pair.proxy.cut(/\/content/);
    await waitFor('the copy on B', async () => (await pair.b.servedDigest('big.pkg')) === sha256(bytes), 240_000);
    expect(pair.b.output).toContain('The job queue was emptied');
  });

  it('Redis is killed and comes back empty: the same', async () => {
    const bytes = randomBytes(64 * MIB);
    let passed = 0;
    let isHeld = true;
    pair.proxy.tamper = (piece, head) => {
      if (!isHeld || !head.includes('/content')) return piece;
      if (passed > 30 * MIB) return null;
      passed += piece.length;
      return piece;
    };
    await pair.a.put('big.pkg', bytes);
    await waitFor('some of it to pass', () => passed > 30 * MIB);
    await redis.kill();
    await waitFor('B to say so', async () => (await fetch(`${pair.b.url}/health/ready`)).status === 503);
    await redis.restart();
    isHeld = false;
    // Not the feed: a peer that comes back would wake the replicas too.
    pair.proxy.cut(/\/content/);
    await waitFor('the copy on B', async () => (await pair.b.servedDigest('big.pkg')) === sha256(bytes), 240_000);
  });
});
