import { describe } from 'vitest';
import { openBull } from '../support/bull-queue.js';
import { Child } from '../support/child.js';
import { lacksRedis, RedisUnderTest } from '../support/redis.js';
import { jobQueueContract } from './job-queue.contract.js';

describe.skipIf(lacksRedis())('with Redis', () => {
  jobQueueContract('bull', async () => {
    const redis = await RedisUnderTest.start();
    return {
      open: () => openBull(redis.url),
      spawnWorker: () => new Child(new URL('job-queue/deadly-worker.ts', import.meta.url), { TEST_REDIS: redis.url }),
      close: () => redis.dispose(),
    };
  });
});
