import { Injectable, Logger } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { z } from 'zod';
import { countChunks } from '../../../kernel/chunk-ranges.js';
import { AsJobHandler } from '../../../platform/jobs/job-runner.js';
import type { JobHandler, RunningJob } from '../../../ports/job-queue.port.js';
import { Locks } from '../../../ports/locks.port.js';
import { PackageStorage, type FileDamage } from '../../../ports/package-storage.port.js';
import { type HeldPackage, PlanVerification, ReportDamage } from './verify-package.command.js';
import { RecoverReplica } from './recover-replica.command.js';
import { VERIFY_PACKAGE } from '../contracts/replica-jobs.js';
import { ChunkDigests } from '../fetch/package-digests.js';
import { ScrubRecords } from './scrub-records.js';

const VerifyPackageData = z.object({ packageId: z.string() });

/** Reads the file of one package at full speed, and reports damage. */
@AsJobHandler()
@Injectable()
export class VerifyPackageWorker implements JobHandler {
  readonly name = VERIFY_PACKAGE;
  readonly maxAttempts = 1_000;
  private readonly logger = new Logger('Scrub');

  constructor(
    private readonly commands: CommandBus,
    private readonly storage: PackageStorage,
    private readonly chunkDigests: ChunkDigests,
    private readonly records: ScrubRecords,
    private readonly locks: Locks,
  ) {}

  /** Holds the lock of the publication of this package, so that the file is not replaced while it is examined. */
  async handle(job: RunningJob): Promise<void> {
    const { packageId } = VerifyPackageData.parse(job.data);
    await this.locks.hold(`publish ${packageId}`, (held) => this.verifyFile(packageId, held), { signal: job.signal });
    job.signal.throwIfAborted();
  }

  private async verifyFile(packageId: string, signal: AbortSignal): Promise<void> {
    const plan = await this.commands.execute(new PlanVerification(packageId));
    if (!plan) return this.recoverFile(packageId);
    const sha256 = await this.chunkDigests.digestsOf(packageId, plan.chunkCount, 0, plan.chunkCount);
    const damage = await this.storage.findDamage(packageId, { size: plan.size, sha256 }, async () =>
      signal.throwIfAborted(),
    );
    if (damage) return this.reportDamage(plan, damage);
    await this.storage.restore(packageId);
    await this.records.noteVerified(packageId);
    const unclaimed = await this.storage.unclaimed.list();
    // This also drops the copies of the same bytes that were moved aside while the package was not known.
    if (unclaimed.some((file) => file.packageId === packageId)) await this.storage.reclaim(packageId, plan);
  }

  /** The file of a package that is wanted and not held may be on the disk again. */
  private async recoverFile(packageId: string): Promise<void> {
    if (!(await this.commands.execute(new RecoverReplica(packageId)))) return;
    await this.records.noteVerified(packageId);
    this.logger.log(`The file of the package ${packageId} is on the disk again and whole. It is served again`);
  }

  private async reportDamage(held: HeldPackage, damage: FileDamage): Promise<void> {
    if (!(await this.commands.execute(new ReportDamage(held, damage)))) return;
    await this.records.foundDamage();
    const what = damage.missing
      ? 'is missing'
      : `is damaged (${countChunks(damage.lost)} of ${held.chunkCount} chunks)`;
    this.logger.error(
      `The file of ${held.filename}, package ${held.packageId}, ${what}. It is no longer served and is repaired from a peer`,
    );
  }
}
