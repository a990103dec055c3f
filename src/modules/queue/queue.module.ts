import { Module } from '@nestjs/common';
import { QueueResolver } from './api/queue.resolver.js';
import { JobsHandler, QueueHandler } from './queries/queue.handlers.js';

/** Shows the job queue. */
@Module({ providers: [QueueHandler, JobsHandler, QueueResolver] })
export class QueueModule {}
