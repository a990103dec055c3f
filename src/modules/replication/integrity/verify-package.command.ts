import { Injectable } from '@nestjs/common';
import { Command, CommandBus, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { countChunks } from '../../../kernel/chunk-ranges.js';
import { Refusal } from '../../../kernel/errors.js';
import { CommandRunner } from '../../../platform/eventsourcing/command-runner.js';
import { StreamReader } from '../../../platform/eventsourcing/stream-reader.js';
import { withCause } from '../../../platform/jobs/job-runner.js';
import { JobQueue } from '../../../ports/job-queue.port.js';
import { type FileDamage, PackageStorage } from '../../../ports/package-storage.port.js';
import { knownPackage } from '../../packages/contracts/known-package.js';
import { isRemoved, type PackageFacts } from '../../packages/contracts/package-facts.js';
import { RecordPackageDamage } from '../../packages/contracts/package-reports.js';
import { verifyPackageJob } from '../contracts/replica-jobs.js';
import { replica } from '../replica/replica.decider.js';
import { ReviewReplica } from '../replica/review-replica.command.js';

/** Has the file of a package verified soon. Resolves once the job is enqueued. Refusals: PACKAGE_NOT_FOUND, PACKAGE_NOT_HELD. */
export class VerifyPackage extends Command<void> {
  constructor(readonly packageId: string) {
    super();
  }
}

/** A package whose whole file should be on the disk of this server. */
export interface HeldPackage {
  readonly packageId: string;
  readonly filename: string;
  readonly size: number;
  readonly sha256: string;
  readonly chunkCount: number;
  /** The time when it was uploaded here (ISO 8601). Null for a copy from a peer. */
  readonly uploadedAt: string | null;
  /** Round of the replica. Together with `uploadedAt` it distinguishes this file from one that replaced it later. */
  readonly round: number;
}

/** Asks for the facts that a verification of a package needs. Null when its file does not belong on our disk. Changes nothing. */
export class PlanVerification extends Command<HeldPackage | null> {
  constructor(readonly packageId: string) {
    super();
  }
}

/** Says by the log which packages' files belong on our disk. */
@Injectable()
export class HeldPackages {
  constructor(
    private readonly streams: StreamReader,
    private readonly runner: CommandRunner,
  ) {}

  /** The package with its facts; null when it is not held. */
  async findHeld(packageId: string): Promise<(HeldPackage & { readonly facts: PackageFacts }) | null> {
    const { facts, uploadedAt } = await this.streams.load(knownPackage, packageId);
    const { status, round } = await this.runner.load(replica, packageId);
    if (!facts || isRemoved(facts) || (uploadedAt === null && status !== 'published')) return null;
    const { filename, size, sha256, chunkCount } = facts;
    return { packageId, filename, size, sha256, chunkCount, uploadedAt, round, facts };
  }
}

@CommandHandler(VerifyPackage)
export class VerifyPackageHandler implements ICommandHandler<VerifyPackage> {
  constructor(
    private readonly streams: StreamReader,
    private readonly held: HeldPackages,
    private readonly storage: PackageStorage,
    private readonly queue: JobQueue,
  ) {}

  async execute({ packageId }: VerifyPackage): Promise<void> {
    if (!(await this.streams.load(knownPackage, packageId)).facts)
      throw new Refusal('PACKAGE_NOT_FOUND', 'There is no such package.');
    // The file of a package that is not held may be on the disk again.
    if (!(await this.held.findHeld(packageId)) && !(await this.storage.hasCandidate(packageId))) {
      throw new Refusal(
        'PACKAGE_NOT_HELD',
        'This server does not hold that package now, so there is nothing to verify.',
      );
    }
    await this.queue.enqueue([withCause(verifyPackageJob(packageId))]);
  }
}

/**
 * Takes the damaged or missing file of a held package out of service and has it repaired, or withdrawn when this server
 * need not hold it. Gives false when the file was replaced in the meantime. Repeat it until it succeeds.
 */
export class ReportDamage extends Command<boolean> {
  constructor(
    readonly held: HeldPackage,
    readonly damage: FileDamage,
  ) {
    super();
  }
}

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
 * The file is moved to quarantine first, so that nobody receives it any more; the jobs that repair it start from it. A
 * crash before the first event leaves a held package without a file, which the repeated job restores or finds missing. A
 * crash after it leaves a pending replica that is repaired, and the repeated job records the second event.
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
