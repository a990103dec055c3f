import type { JobOptions, QueueOptions } from 'bull';
import type { RedisOptions } from 'ioredis';
import { KEPT_FAILED } from '../../../ports/job-queue.port.js';

/** How long one connection attempt may take, and the longest break between two. */
const CONNECT_TIMEOUT_MS = 3_000;
const MAX_RECONNECT_DELAY_MS = 1_000;
/** A connection that answers nothing for so long is dead; Bull's blocking calls end every 5 s. */
const IDLE_TIMEOUT_MS = 15_000;

/** `redis://user:password@host:6379/0`, or `rediss://` for TLS, as options of ioredis. */
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
    // What was asked while Redis is away fails with the next attempt to connect, instead of waiting for its return.
    maxRetriesPerRequest: 1,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 10), MAX_RECONNECT_DELAY_MS),
  };
}

/** Host and port, for messages: never the password. */
export function redisAddress(redisUrl: string): string {
  const { host, port } = redisOptions(redisUrl);
  return `${host}:${port}`;
}

/** Bull takes what a handler throws for the outcome of a try; these say what we want of it. */
const GIVE_UP = -1;
/** After an error that is not from a handler, such as a connection that broke. */
const DEFAULT_RETRY_DELAY_MS = 1_000;

/** The job is tried again in so many milliseconds. */
export class RetryLater extends Error {
  override readonly stack = '';

  constructor(
    readonly delayMs: number,
    reason = 'Put back',
  ) {
    super(reason);
  }
}

/** The job is not tried again, and stays to be seen with its reason. */
export class GaveUp extends Error {
  override readonly stack = '';
}

/** Milliseconds until the next try in the terms of Bull. */
function retryDelayMs(error: Error): number {
  if (error instanceof GaveUp) return GIVE_UP;
  return error instanceof RetryLater ? error.delayMs : DEFAULT_RETRY_DELAY_MS;
}

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
