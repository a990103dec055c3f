import type { JobOptions, QueueOptions } from 'bull';
import type { RedisOptions } from 'ioredis';
import { KEPT_FAILED } from '../../../ports/job-queue.port.js';

const CONNECT_TIMEOUT_MS = 3_000;
const MAX_RECONNECT_DELAY_MS = 1_000;
/** A connection without an answer for this time is dead. The blocking calls of Bull end every 5 s. */
const IDLE_TIMEOUT_MS = 15_000;

/** Converts `redis://user:password@host:6379/0`, or `rediss://` for TLS, to options of ioredis. */
export function redisOptions(redisUrl: string): RedisOptions {
  const { protocol, hostname, port, username, password, pathname } = new URL(redisUrl);
  const host = hostname.replace(/^\[|\]$/g, '');
  return {
    host,
    port: Number(port || 6379),
    db: Number(pathname.slice(1) || 0),
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
    ...(protocol === 'rediss:' && { tls: { servername: host } }),
    connectTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: IDLE_TIMEOUT_MS,
    keepAlive: 10_000,
    // A command fails with the next failed attempt to connect, instead of waiting until Redis is back.
    maxRetriesPerRequest: 1,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 10), MAX_RECONNECT_DELAY_MS),
  };
}

/** Returns host and port for messages, without the password. */
export function redisAddress(redisUrl: string): string {
  const { host, port } = redisOptions(redisUrl);
  return `${host}:${port}`;
}

/** Delay that tells Bull not to run a job again. */
const GIVE_UP = -1;
/** For an error that does not come from a handler, such as a broken connection. */
const DEFAULT_RETRY_DELAY_MS = 1_000;

/** Thrown to tell Bull to run the job again after `delayMs`. */
export class RetryLater extends Error {
  override readonly stack = '';

  constructor(
    readonly delayMs: number,
    reason = 'The job was returned to the queue',
  ) {
    super(reason);
  }
}

/** Thrown to tell Bull not to run the job again and to keep it with its reason. */
export class GaveUp extends Error {
  override readonly stack = '';
}

/** Returns the milliseconds until the next attempt as Bull expects them. */
function retryDelayMs(error: Error): number {
  if (error instanceof GaveUp) return GIVE_UP;
  return error instanceof RetryLater ? error.delayMs : DEFAULT_RETRY_DELAY_MS;
}

/** Name of the Bull queue in its prefix. */
export const QUEUE_NAME = 'jobs';
const BACKOFF = 'odst';
/** The adapter decides how often a job is tried, not Bull. */
const UNLIMITED = 1_000_000_000;

/**
 * Returns the options of the Bull queue of a server. A lock that its process does not renew ends after 5 s, and Bull
 * looks for lost locks every 2 s, so a job of a killed process continues within 10 s. The braces let a Redis cluster
 * keep all keys of a server together.
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

/** Options of every job. Completed jobs are removed at once. */
export const JOB_OPTIONS: JobOptions = {
  attempts: UNLIMITED,
  backoff: { type: BACKOFF },
  removeOnComplete: true,
  removeOnFail: { age: KEPT_FAILED.days * 24 * 60 * 60, count: KEPT_FAILED.jobs },
  stackTraceLimit: 1,
};
