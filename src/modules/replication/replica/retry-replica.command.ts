import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { CommandRunner, type Receipt } from '../../../platform/eventsourcing/command-runner.js';
import { withCause } from '../../../platform/jobs/job-runner.js';
import { JobQueue } from '../../../ports/job-queue.port.js';
import { PackageStorage } from '../../../ports/package-storage.port.js';
import { verifyPackageJob } from '../contracts/replica-jobs.js';
import { isUnderWay } from './our-replica.js';
import { replica } from './replica.decider.js';

/**
 * Starts a failed replica again. When a file of the package is on the disk, it is verified first and completes the replica
 * if it is whole. Refusals: REPLICA_NOT_FOUND, REPLICA_NOT_FAILED.
 */
export class RetryReplica extends Command<Receipt> {
  constructor(readonly packageId: string) {
    super();
  }
}

@CommandHandler(RetryReplica)
export class RetryReplicaHandler implements ICommandHandler<RetryReplica> {
  constructor(
    private readonly runner: CommandRunner,
    private readonly storage: PackageStorage,
    private readonly queue: JobQueue,
  ) {}

  async execute({ packageId }: RetryReplica): Promise<Receipt> {
    if (isUnderWay(await this.runner.load(replica, packageId)) && (await this.storage.hasCandidate(packageId))) {
      await this.queue.enqueue([withCause(verifyPackageJob(packageId))]);
      return { cursor: null, types: [] };
    }
    return (await this.runner.run(replica, packageId, { kind: 'retry' })).receipt;
  }
}
