import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { JobRunner } from './job-runner.js';
import { QueueHealth } from './queue-health.js';
import { QueueWatch } from './queue-watch.js';
import { RunningProcesses } from './running-processes.js';

/** Runs the jobs of the queue, and watches its state and the processes that work on it. */
@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [JobRunner, QueueHealth, QueueWatch, RunningProcesses],
  exports: [JobRunner, QueueHealth, QueueWatch, RunningProcesses],
})
export class JobsModule {}
