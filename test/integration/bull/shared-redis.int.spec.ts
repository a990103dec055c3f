import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openBull } from '../../support/bull-queue.js';
import { lacksRedis, RedisUnderTest } from '../../support/redis.js';

const WAIT = { timeout: 30_000, interval: 10 };

describe.skipIf(lacksRedis())('two servers on one Redis', () => {
  let redis: RedisUnderTest;
  beforeEach(async () => (redis = await RedisUnderTest.start()));
  afterEach(() => redis.dispose());

  it('do not see each other’s jobs', async () => {
    const queues = ['one', 'two'].map((server) => openBull(redis.url, server));
    const seen = new Map<string, unknown[]>();
    for (const [i, queue] of queues.entries()) {
      const own: unknown[] = [];
      seen.set(`${i}`, own);
      await queue.startWork([{ name: 'echo', maxAttempts: 1, handle: async ({ data }) => void own.push(data) }], 2);
    }
    const keys = Array.from({ length: 20 }, (_, n) => `echo:${n}`);
    await Promise.all(queues.map((queue, i) => queue.enqueue(keys.map((key) => ({ name: 'echo', key, data: i })))));
    await vi.waitFor(() => expect([...seen.values()].map((own) => own.length)).toEqual([20, 20]), WAIT);
    expect(new Set(seen.get('0'))).toEqual(new Set([0]));
    expect(new Set(seen.get('1'))).toEqual(new Set([1]));
    expect(await queues[0]?.leaveMark()).toBe(false);
    expect(await queues[1]?.leaveMark()).toBe(false);
    expect((await redis.keys()).filter((key) => !/^odst:\{(one|two)\}:jobs:/.test(key))).toEqual([]);
    await Promise.all(queues.map((queue) => queue.stop()));
  });

  it('leave nothing of completed jobs behind', async () => {
    const queue = openBull(redis.url, 'one');
    const done: string[] = [];
    await queue.startWork([{ name: 'echo', maxAttempts: 1, handle: async ({ key }) => void done.push(key) }], 4);
    await queue.enqueue(Array.from({ length: 500 }, (_, n) => ({ name: 'echo', key: `echo:${n}`, data: n })));
    await vi.waitFor(async () => {
      expect(done).toHaveLength(500);
      expect(await queue.countJobs()).toEqual({ waiting: 0, due: 0, running: 0, stuck: 0 });
    }, WAIT);
    // A few keys that Bull keeps for itself.
    expect((await redis.keys()).length).toBeLessThan(8);
    await queue.stop();
  });
});
