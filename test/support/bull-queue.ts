import Bull from 'bull';
import { BullJobQueue } from '../../src/adapters/job-queue/bull/bull-job-queue.js';
import { QUEUE_NAME, queueOptions } from '../../src/adapters/job-queue/bull/queue-options.js';

/** One more client of a server's queue. */
export const openBull = (redisUrl: string, serverId = 'server-1'): BullJobQueue =>
  new BullJobQueue(new Bull(QUEUE_NAME, queueOptions(redisUrl, serverId)));
