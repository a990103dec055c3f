import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { CommandRunner, type Receipt } from '../../../platform/cqrs/command-runner.js';
import { replica } from '../domain/replica.decider.js';
import { RetryReplica } from './retry-replica.command.js';

@CommandHandler(RetryReplica)
export class RetryReplicaHandler implements ICommandHandler<RetryReplica> {
  constructor(private readonly runner: CommandRunner) {}

  async execute({ packageId }: RetryReplica): Promise<Receipt> {
    return (await this.runner.run(replica, packageId, { kind: 'retry' })).receipt;
  }
}
