import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { JobQueueUnavailable, type JobQueue } from '../../../src/ports/job-queue.port.js';
import { openBull } from '../../support/bull-queue.js';
import { lacksRedis, RedisUnderTest } from '../../support/redis.js';

const WAIT = { timeout: 30_000, interval: 10 };
const NOTHING = { waiting: 0, due: 0, running: 0, stuck: 0 };
const HOUR_MS = 3_600_000;

describe.skipIf(lacksRedis())('Redis comes and goes', () => {
  let redis: RedisUnderTest;
  let queue: JobQueue;
  const seen: unknown[] = [];
  const enqueue = (data: string, runAt?: Date): Promise<void> =>
    queue.enqueue([{ name: 'echo', key: `echo:${data}`, data, ...(runAt && { runAt }) }]);
  const works = async (data: string): Promise<void> => {
    await vi.waitFor(() => enqueue(data), WAIT);
    await vi.waitFor(() => expect(seen).toContain(data), WAIT);
    await vi.waitFor(async () => expect(await queue.countJobs()).toMatchObject({ running: 0 }), WAIT);
  };

  beforeEach(async () => {
    seen.length = 0;
    redis = await RedisUnderTest.start();
    queue = openBull(redis.url);
    await queue.startWork([{ name: 'echo', maxAttempts: 5, handle: async ({ data }) => void seen.push(data) }], 3);
    await works('first');
  });
  afterEach(async () => {
    await queue.stop();
    await redis.dispose();
  });

  it('says so soon while it is away, and goes on with what it held once it is back', async () => {
    await enqueue('held', new Date(Date.now() + HOUR_MS));
    await redis.stop();
    const answers = await Promise.allSettled([
      enqueue('away'),
      queue.countJobs(),
      queue.findFailed(1),
      queue.findRunning(),
      queue.leaveMark(),
    ]);
    expect(
      answers.map((answer) => answer.status === 'rejected' && answer.reason instanceof JobQueueUnavailable),
    ).toEqual(Array(5).fill(true));
    await redis.restart();
    await works('after');
    expect(await queue.countJobs()).toMatchObject({ running: 0, stuck: 0, waiting: 1 });
  });

  it('goes on when it comes back empty, and notices that', async () => {
    await queue.leaveMark();
    await enqueue('lost', new Date(Date.now() + HOUR_MS));
    await redis.kill();
    await redis.restart();
    await works('after');
    expect(await queue.leaveMark()).toBe(false);
    expect(await queue.countJobs()).toEqual(NOTHING);
    for (const data of ['a', 'b', 'c', 'd', 'e', 'f']) await works(data);
  });

  it('goes on after it was emptied while a job runs, which may be asked for again at once', async () => {
    const flush = {
      name: 'flush',
      maxAttempts: 5,
      handle: async ({ data }: { data: unknown }) => {
        seen.push(data);
        if (data === 'flush') await redis.flushAll();
        if (data === 'flush') await other.enqueue([{ name: 'flush', key: 'flush', data: 'again' }]);
      },
    };
    const other = openBull(redis.url, 'server-2');
    await other.startWork([flush], 1);
    await other.leaveMark();
    await other.enqueue([{ name: 'flush', key: 'flush', data: 'flush' }]);
    await vi.waitFor(() => expect(seen).toContain('again'), WAIT);
    await vi.waitFor(async () => expect(await other.countJobs()).toEqual(NOTHING), WAIT);
    expect(await other.leaveMark()).toBe(false);
    await other.stop();
    await works('after');
  });

  it('is stopped while it is away', async () => {
    await redis.stop();
    await queue.stop();
  });
});
