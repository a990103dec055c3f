import Bull from 'bull';
import { BullJobQueue } from '../../../src/adapters/job-queue/bull/bull-job-queue.js';
import { QUEUE_NAME, queueOptions } from '../../../src/adapters/job-queue/bull/queue-options.js';
import { GraphileJobQueue } from '../../../src/adapters/job-queue/graphile/graphile-job-queue.js';
import type { JobQueue } from '../../../src/ports/job-queue.port.js';
import { hasRedis, RedisUnderTest } from '../../support/redis.js';
import { inTurn, type BenchContext, type Figure, type Result } from '../figure.js';
import { withScratchLog } from '../scratch-log.js';

const JOBS = 5_000;
const JOBS_A_CALL = 100;
/** As many as a server works on at once. */
const CONCURRENCY = 6;
const WHAT = `jobs, ${CONCURRENCY} at once: Bull / Graphile Worker`;

/** Seconds from the first job that is asked for to the end of the last; the handler itself does nothing. */
async function through(queue: JobQueue): Promise<number> {
  let left = JOBS;
  const startedAt = performance.now();
  const worked = new Promise<number>((resolve) => {
    const handle = async (): Promise<void> => {
      if (--left === 0) resolve((performance.now() - startedAt) / 1000);
    };
    void queue.startWork([{ name: 'bench', maxAttempts: 5, handle }], CONCURRENCY);
  });
  for (let at = 0; at < JOBS; at += JOBS_A_CALL) {
    await queue.enqueue(
      Array.from({ length: JOBS_A_CALL }, (_, i) => ({ name: 'bench', key: `bench:${at + i}`, data: { i } })),
    );
  }
  const seconds = await worked;
  await queue.stop();
  return seconds;
}

async function compare(context: BenchContext, redis: RedisUnderTest): Promise<Result[]> {
  let server = 0;
  const bull = () => new BullJobQueue(new Bull(QUEUE_NAME, queueOptions(redis.url, `bench-${server++}`)));
  return withScratchLog(context.folder, async (_store, database) => {
    const times = await inTurn(context, {
      bull: () => through(bull()),
      graphile: () => through(new GraphileJobQueue(database)),
    });
    const rate = (seconds: number): string => `${(JOBS / seconds).toFixed(0)}/s`;
    return [
      {
        what: WHAT,
        ours: rate(times.bull),
        rival: `Graphile Worker ${rate(times.graphile)}`,
        value: times.graphile / times.bull,
        mark: { atLeast: 1 },
      },
    ];
  });
}

/** The two engines behind the job queue, Redis and PostgreSQL both on this machine. */
export const jobs: Figure = async (context) => {
  if (!hasRedis()) return [{ what: WHAT, skipped: 'redis-server is not on PATH' }];
  const redis = await RedisUnderTest.start();
  try {
    return await compare(context, redis);
  } finally {
    await redis.dispose();
  }
};
