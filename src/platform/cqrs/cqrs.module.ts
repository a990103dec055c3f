import { Global, Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { CommandRunner } from './command-runner.js';
import { FactsLog } from './facts-log.js';

@Global()
@Module({
  imports: [CqrsModule.forRoot()],
  providers: [CommandRunner, FactsLog],
  exports: [CommandRunner, FactsLog, CqrsModule],
})
export class PlatformCqrsModule {}
