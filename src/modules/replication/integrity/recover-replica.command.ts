import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { CommandRunner } from '../../../platform/eventsourcing/command-runner.js';
import { StreamReader } from '../../../platform/eventsourcing/stream-reader.js';
import { PackageStorage } from '../../../ports/package-storage.port.js';
import { knownPackage } from '../../packages/contracts/known-package.js';
import { isRemoved } from '../../packages/contracts/package-facts.js';
import { isUnderWay } from '../replica/our-replica.js';
import { replica } from '../replica/replica.decider.js';

/**
 * Completes a copy that this server wants from a file on its own disk, such as one that is back after its volume was not
 * mounted, or one that nothing claimed before the package was known again. False when no file is whole. The file is in its
 * place before the event is recorded, so that after a crash the repeated command finds it there. Send it under the lock of
 * the publication of the package.
 */
export class RecoverReplica extends Command<boolean> {
  constructor(readonly packageId: string) {
    super();
  }
}

@CommandHandler(RecoverReplica)
export class RecoverReplicaHandler implements ICommandHandler<RecoverReplica> {
  constructor(
    private readonly streams: StreamReader,
    private readonly runner: CommandRunner,
    private readonly storage: PackageStorage,
  ) {}

  async execute({ packageId }: RecoverReplica): Promise<boolean> {
    const { facts } = await this.streams.load(knownPackage, packageId);
    if (!facts || isRemoved(facts) || !isUnderWay(await this.runner.load(replica, packageId))) return false;
    if (!(await this.storage.reclaim(packageId, facts))) return false;
    await this.runner.run(replica, packageId, { kind: 'arrive' });
    await this.storage.discardReplica(packageId);
    return true;
  }
}
