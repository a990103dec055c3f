import { Module } from '@nestjs/common';
import { QueueResolver } from './queue.resolver.js';
import { JobsHandler, QueueHandler } from './queue.query.js';

/** Shows the job queue. */
@Module({ providers: [QueueHandler, JobsHandler, QueueResolver] })
export class QueueModule {}
