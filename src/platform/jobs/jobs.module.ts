import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { JobRunner } from './job-runner.js';
import { QueueHealth } from './queue-health.js';
import { QueueWatch } from './queue-watch.js';

/** Runs the jobs of the queue and watches its state. */
@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [JobRunner, QueueHealth, QueueWatch],
  exports: [JobRunner, QueueHealth, QueueWatch],
})
export class JobsModule {}
