import { Module } from '@nestjs/common';
import { QueueResolver } from './queue.resolver.js';
import { JobsHandler, QueueHandler } from './queue.query.js';

/** Shows the state of the job queue and its jobs. */
@Module({ providers: [QueueHandler, JobsHandler, QueueResolver] })
export class QueueModule {}
