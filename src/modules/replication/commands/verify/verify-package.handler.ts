import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Refusal } from '../../../../kernel/refusal.js';
import { StreamReader } from '../../../../platform/cqrs/stream-reader.js';
import { withCause } from '../../../../platform/jobs/caused.js';
import { EventStore } from '../../../../ports/event-store.port.js';
import { JobQueue } from '../../../../ports/job-queue.port.js';
import { knownPackage } from '../../../packages/contracts/known-package.js';
import { verifyPackageJob } from '../../contracts/verify-package.js';
import { HeldPackages } from './held-packages.js';
import { VerifyPackage } from './verify-package.command.js';

@CommandHandler(VerifyPackage)
export class VerifyPackageHandler implements ICommandHandler<VerifyPackage> {
  private readonly packages;

  constructor(
    store: EventStore,
    private readonly held: HeldPackages,
    private readonly queue: JobQueue,
  ) {
    this.packages = new StreamReader(store, knownPackage);
  }

  async execute({ packageId }: VerifyPackage): Promise<void> {
    if (!(await this.packages.load(packageId)).facts)
      throw new Refusal('PACKAGE_NOT_FOUND', 'There is no such package.');
    if (!(await this.held.findHeld(packageId))) {
      throw new Refusal(
        'PACKAGE_NOT_HELD',
        'This server does not hold that package now, so there is nothing to verify.',
      );
    }
    await this.queue.enqueue([withCause(verifyPackageJob(packageId))]);
  }
}
