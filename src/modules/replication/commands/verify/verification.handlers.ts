import { CommandBus, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { countChunks } from '../../../../kernel/runs.js';
import { CommandRunner } from '../../../../platform/cqrs/command-runner.js';
import { PackageStorage } from '../../../../ports/package-storage.port.js';
import { RecordPackageDamage } from '../../../packages/contracts/record-package-damage.js';
import { replica } from '../../domain/replica.decider.js';
import { ReviewReplica } from '../review-replica.command.js';
import { HeldPackages } from './held-packages.js';
import { PlanVerification, type HeldPackage } from './plan-verification.command.js';
import { ReportDamage } from './report-damage.command.js';

@CommandHandler(PlanVerification)
export class PlanVerificationHandler implements ICommandHandler<PlanVerification> {
  constructor(private readonly held: HeldPackages) {}

  async execute({ packageId }: PlanVerification): Promise<HeldPackage | null> {
    const found = await this.held.findHeld(packageId);
    if (!found) return null;
    const { facts: _facts, ...plan } = found;
    return plan;
  }
}

/**
 * The file is taken out first: nobody gets it any more, and the jobs that mend it begin with it. A crash before the
 * first event leaves a held package without a file, which is put back or found missing; after it, a pending replica
 * that is mended; before the second one, the repeated job writes that.
 */
@CommandHandler(ReportDamage)
export class ReportDamageHandler implements ICommandHandler<ReportDamage> {
  constructor(
    private readonly held: HeldPackages,
    private readonly runner: CommandRunner,
    private readonly storage: PackageStorage,
    private readonly commands: CommandBus,
  ) {}

  async execute({ held, damage }: ReportDamage): Promise<boolean> {
    const { packageId, uploadedAt, round } = held;
    const now = await this.held.findHeld(packageId);
    if (!now || now.uploadedAt !== uploadedAt) return false;
    const { filename, size, sha256, chunkCount, publication } = now.facts;
    const content = { packageId, filename, size, sha256, chunkCount };
    const uploaded = uploadedAt !== null;
    await this.storage.quarantine(packageId);
    const found = { kind: 'damagePublished', content, round, uploaded, ...damage } as const;
    const { events, state } = await this.runner.run(replica, packageId, found);
    if (state.status !== 'pending') {
      await this.storage.restore(packageId);
      return false;
    }
    if (uploaded) {
      const command = new RecordPackageDamage(packageId, publication, countChunks(damage.lost), damage.missing);
      await this.commands.execute(command);
    }
    await this.commands.execute(new ReviewReplica(packageId));
    return events.length > 0;
  }
}
