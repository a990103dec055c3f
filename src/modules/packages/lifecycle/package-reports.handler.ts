import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Refusal } from '../../../kernel/errors.js';
import { isStamp } from '../../../kernel/hybrid-clock.js';
import { Clock } from '../../../platform/runtime/clock.js';
import { packageIdOf } from '../../../platform/runtime/ids.js';
import { CHUNK_SIZE } from '../../../kernel/chunk-ranges.js';
import type { PackageFacts } from '../contracts/package-facts.js';
import { LearnPackage, RecordPackageDamage } from '../contracts/package-reports.js';
import { normalizeFilename } from './filename.js';
import { PackageWriter } from './package-writer.js';

/**
 * Checks what a peer tells and merges it into what this server knows. Returns the facts after that.
 * @throws Refusal INVALID_REQUEST, INVALID_FILENAME, PACKAGE_CONFLICT, STAMP_AHEAD
 */
@CommandHandler(LearnPackage)
export class LearnPackageHandler implements ICommandHandler<LearnPackage> {
  constructor(
    private readonly packages: PackageWriter,
    private readonly clock: Clock,
  ) {}

  async execute({ facts, pages, peerId, authors }: LearnPackage): Promise<PackageFacts | null> {
    requireConsistent(facts);
    this.requireTimelyStamps(facts);
    const { packageId } = facts;
    const known = pages.length > 0 && (await this.packages.loadPackage(packageId)).facts !== null;
    const { state } = await this.packages.runWithPages(packageId, known ? [] : pages, (pages) => {
      return { type: 'learn', facts, pages, peerId, authors };
    });
    this.packages.observeStamps(facts);
    if (state.facts) this.packages.observeStamps(state.facts);
    return state.facts;
  }

  private requireTimelyStamps({ publication, stageStamp, removal }: PackageFacts): void {
    for (const stamp of [publication, stageStamp, removal ?? publication]) {
      if (!isStamp(stamp)) throw new Refusal('INVALID_REQUEST', 'The peer sent a malformed time stamp.');
      if (this.clock.hybrid.isTooFarAhead(stamp)) {
        throw new Refusal(
          'STAMP_AHEAD',
          'The peer sent a time stamp from the future. Compare the clocks of the servers.',
        );
      }
    }
  }
}

/** Peers are registered, but what they send becomes the name of a file and a download here, so it is checked. */
function requireConsistent(facts: PackageFacts): void {
  const { filename, sha256, size } = facts;
  const sound =
    normalizeFilename(filename) === filename &&
    packageIdOf(filename, sha256) === facts.packageId &&
    facts.chunkSize === CHUNK_SIZE &&
    facts.chunkCount === Math.ceil(size / CHUNK_SIZE);
  if (!sound) throw new Refusal('INVALID_REQUEST', 'The description of a package by the peer contradicts itself.');
}

@CommandHandler(RecordPackageDamage)
export class RecordPackageDamageHandler implements ICommandHandler<RecordPackageDamage> {
  constructor(private readonly packages: PackageWriter) {}

  async execute({ packageId, publication, damagedChunks, missing }: RecordPackageDamage): Promise<void> {
    await this.packages.runCommand(packageId, { type: 'damage', publication, damagedChunks, missing });
  }
}
