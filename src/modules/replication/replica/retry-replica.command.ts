import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { CommandRunner, type Receipt } from '../../../platform/eventsourcing/command-runner.js';
import { replica } from './replica.decider.js';

/** Starts a failed replica again. Refusals: REPLICA_NOT_FOUND, REPLICA_NOT_FAILED. */
export class RetryReplica extends Command<Receipt> {
  constructor(readonly packageId: string) {
    super();
  }
}

@CommandHandler(RetryReplica)
export class RetryReplicaHandler implements ICommandHandler<RetryReplica> {
  constructor(private readonly runner: CommandRunner) {}

  async execute({ packageId }: RetryReplica): Promise<Receipt> {
    return (await this.runner.run(replica, packageId, { kind: 'retry' })).receipt;
  }
}
