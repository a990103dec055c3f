import { BullModule, getQueueToken } from '@nestjs/bull';
import type { DynamicModule } from '@nestjs/common';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import { checkRedis, type CheckOptions } from './connection/check-redis.js';
import { QUEUE_NAME, queueOptions } from './connection/queue-options.js';

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
