import type { JobOptions, QueueOptions } from 'bull';
import { KEPT_FAILED } from '../../../../ports/job-queue.port.js';
import { redisOptions } from './redis-url.js';
import { retryDelayMs } from '../outcome.js';

export const QUEUE_NAME = 'jobs';
const BACKOFF = 'odst';
/** How often a job is tried is decided by our adapter, never by Bull. */
const UNLIMITED = 1_000_000_000;

/**
 * A lock that its process does not renew ends after 5 s, and lost ones are looked for every 2 s: a job of a killed
 * process goes on within 10 s. The braces let a Redis cluster keep all keys of a server together.
 */
export function queueOptions(redisUrl: string, serverId: string): QueueOptions {
  return {
    prefix: `odst:{${serverId}}`,
    redis: redisOptions(redisUrl),
    settings: {
      lockDuration: 5_000,
      lockRenewTime: 1_500,
      stalledInterval: 2_000,
      maxStalledCount: UNLIMITED,
      guardInterval: 1_000,
      retryProcessDelay: 500,
      drainDelay: 5,
      backoffStrategies: { [BACKOFF]: (_tries: number, error: Error) => retryDelayMs(error) },
    },
  };
}

/** Of every job. Completed ones go at once. */
export const JOB_OPTIONS: JobOptions = {
  attempts: UNLIMITED,
  backoff: { type: BACKOFF },
  removeOnComplete: true,
  removeOnFail: { age: KEPT_FAILED.days * 24 * 60 * 60, count: KEPT_FAILED.jobs },
  stackTraceLimit: 1,
};
