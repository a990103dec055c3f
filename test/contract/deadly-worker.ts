import { once } from 'node:events';
import { GraphileJobQueue } from '../../src/adapters/job-queue/graphile/graphile-job-queue.js';
import { openBull } from '../support/bull-queue.js';

/**
 * Works on `hangs`, whose jobs never end, and on `dies`, whose jobs take the process down with them. Says
 * `took <key> <attempt>` for each.
 */
const { TEST_REDIS, TEST_DATABASE } = process.env;
const queue = TEST_REDIS ? openBull(TEST_REDIS) : new GraphileJobQueue(JSON.parse(TEST_DATABASE ?? ''));

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
await queue.work([{ name: 'hangs', maxAttempts: 5, handle: hangs }, { name: 'dies', maxAttempts: 2, handle: dies }], 2);
