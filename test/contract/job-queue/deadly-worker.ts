import { once } from 'node:events';
import type { JobQueue } from '../../../src/ports/job-queue.port.js';

/**
 * Works on `hangs`, whose jobs never end, and on `dies`, whose jobs take the process down with them. Says
 * `took <key> <attempt>` for each.
 */
const { TEST_REDIS, TEST_DATABASE } = process.env;

/** Loads just the engine that is asked for, since it is compiled each time. */
async function open(): Promise<JobQueue> {
  if (TEST_REDIS) return (await import('../../support/bull-queue.js')).openBull(TEST_REDIS);
  const { GraphileJobQueue } = await import('../../../src/adapters/job-queue/graphile/graphile-job-queue.js');
  return new GraphileJobQueue(JSON.parse(TEST_DATABASE ?? ''));
}
const queue = await open();

interface Taken {
  readonly key: string;
  readonly attempt: number;
  readonly signal: AbortSignal;
}
const say = ({ key, attempt }: Taken): Promise<void> =>
  new Promise((resolve) => process.stdout.write(`took ${key} ${attempt}\n`, () => resolve()));

const hangs = async (job: Taken): Promise<void> => {
  await say(job);
  await once(job.signal, 'abort');
};
const dies = async (job: Taken): Promise<void> => {
  await say(job);
  process.kill(process.pid, 'SIGKILL');
  await once(job.signal, 'abort');
};
await queue.startWork(
  [
    { name: 'hangs', maxAttempts: 5, handle: hangs },
    { name: 'dies', maxAttempts: 2, handle: dies },
  ],
  2,
);
