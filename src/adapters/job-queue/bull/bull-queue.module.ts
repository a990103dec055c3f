import { BullModule, getQueueToken } from '@nestjs/bull';
import type { DynamicModule } from '@nestjs/common';
import { Redis } from 'ioredis';
import { errorCode, messageOf, StartupError } from '../../../kernel/errors.js';
import { retry } from '../../../kernel/retry.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import { QUEUE_NAME, queueOptions, redisAddress, redisOptions } from './queue-options.js';

const STARTUP_TIMEOUT_MS = 30_000;
const RETRY_DELAY_MS = 250;
/** Errors that waiting does not solve. */
const PERMANENT_ERRORS = /^(WRONGPASS|NOAUTH|NOPERM|ERR AUTH|ERR invalid password|ERR DB index)|SSL|TLS|certificate/i;

interface CheckOptions {
  /** The time to wait for Redis, 30 s by default. */
  readonly timeoutMs?: number;
  readonly log?: (level: 'warn', message: string) => void;
}

/** Waits until Redis can be used as a queue. @throws StartupError when this takes too long, or Redis may drop keys */
export async function checkRedis(
  redisUrl: string,
  { timeoutMs = STARTUP_TIMEOUT_MS, log }: CheckOptions = {},
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  const isWorthRetrying = (error: unknown): boolean => {
    if (error instanceof StartupError) return false;
    if (PERMANENT_ERRORS.test(messageOf(error)) || Date.now() + RETRY_DELAY_MS >= deadline)
      throw unusableError(redisUrl, error);
    return true;
  };
  const onFailure = (error: unknown, _waitMs: number, attempt: number): void => {
    if (attempt === 1) log?.('warn', `Waiting for Redis at ${redisAddress(redisUrl)} (REDIS_URL): ${reasonOf(error)}`);
  };
  await retry(async () => requireNoEviction(redisUrl, await readMemoryInfo(redisUrl, deadline), log), {
    while: isWorthRetrying,
    backoff: () => RETRY_DELAY_MS,
    onFailure,
  });
}

/** Reads what Redis reports about its memory. Null when its user may not read this. */
async function readMemoryInfo(redisUrl: string, deadline: number): Promise<string | null> {
  const left = Math.max(100, deadline - Date.now());
  const redis = new Redis({
    ...redisOptions(redisUrl),
    connectTimeout: left,
    commandTimeout: left,
    lazyConnect: true,
    retryStrategy: () => null,
  });
  let cause: unknown;
  redis.on('error', (error) => (cause ??= error));
  try {
    await redis.connect();
    await redis.ping();
    // An error event reports a database that does not exist; later commands would go to the first one.
    if (cause) throw cause;
    return await redis
      .info('memory')
      .catch((error: unknown) => (messageOf(error).startsWith('NOPERM') ? null : Promise.reject(error)));
  } catch (error) {
    throw cause ?? error;
  } finally {
    redis.disconnect();
  }
}

function requireNoEviction(redisUrl: string, memory: string | null, log: CheckOptions['log']): void {
  const policy = memory === null ? null : /^maxmemory_policy:(\S+)/m.exec(memory)?.[1];
  if (policy === 'noeviction') return;
  const where = `Redis at ${redisAddress(redisUrl)} (REDIS_URL)`;
  if (policy)
    throw new StartupError(
      `${where} drops keys when its memory is full. Set its maxmemory-policy from ${policy} to noeviction.`,
    );
  log?.('warn', `${where} does not show its maxmemory-policy. It must be noeviction, otherwise jobs are lost.`);
}

/** Returns the first line of an error message. */
const reasonOf = (error: unknown): string => (messageOf(error) || errorCode(error) || 'no answer').split('\n')[0] ?? '';

const unusableError = (redisUrl: string, error: unknown): StartupError =>
  new StartupError(`Redis at ${redisAddress(redisUrl)} (REDIS_URL) cannot be used: ${reasonOf(error)}`, error);

/** Token by which Nest provides the Bull queue. */
export const BULL_QUEUE = getQueueToken(QUEUE_NAME);

/** Provides the Bull queue of this server, once Redis can be used. @throws StartupError */
export const bullQueueModule = (redisUrl: string, log: CheckOptions['log']): DynamicModule =>
  BullModule.registerQueueAsync({
    name: QUEUE_NAME,
    inject: [ServerIdentity],
    async useFactory(identity: ServerIdentity) {
      await checkRedis(redisUrl, log ? { log } : {});
      return queueOptions(redisUrl, identity.serverId);
    },
  });
