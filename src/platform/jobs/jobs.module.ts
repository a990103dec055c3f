import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { JobRunner } from './job-runner.js';
import { QueueWatch } from './queue-watch.js';

@Global()
@Module({ imports: [DiscoveryModule], providers: [JobRunner, QueueWatch], exports: [JobRunner, QueueWatch] })
export class JobsModule {}
