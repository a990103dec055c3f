import { Injectable } from '@nestjs/common';
import { Clock } from '../../../platform/clock/clock.js';
import { CommandRunner, type Outcome, type Receipt } from '../../../platform/cqrs/command-runner.js';
import type { ChunkPage, PackageEvent } from '../contracts/package.events.js';
import type { PackageFacts } from '../contracts/package-facts.js';
import { packageAggregate, type PackageCommand, type PackageState } from '../domain/package.decider.js';
import { splitIntoAppends } from './page-batches.js';

type PackageOutcome = Outcome<PackageState, PackageEvent>;

/** Runs commands on package streams. */
@Injectable()
export class PackageWriter {
  constructor(
    private readonly runner: CommandRunner,
    private readonly clock: Clock,
  ) {}

  /** The package's state; our clock is ahead of its registers from now on, so that the next stamp wins. */
  async loadPackage(packageId: string): Promise<PackageState> {
    const state = await this.runner.load(packageAggregate, packageId);
    if (state.facts) this.observeStamps(state.facts);
    return state;
  }

  async runCommand(packageId: string, command: PackageCommand): Promise<PackageOutcome> {
    return this.runner.run(packageAggregate, packageId, command);
  }

  /**
   * Records pages in appends of bounded size and the last ones together with what `last` makes of them. After a crash
   * in between there are digests without a package, which nobody sees.
   */
  async runWithPages(
    packageId: string,
    pages: readonly ChunkPage[],
    last: (pages: readonly ChunkPage[]) => PackageCommand,
  ): Promise<{ state: PackageState; receipt: Receipt }> {
    const batches = splitIntoAppends(pages);
    const types: string[] = [];
    for (const batch of batches.before) {
      const { receipt } = await this.runCommand(packageId, { type: 'recordChunks', packageId, pages: batch });
      types.push(...receipt.types);
    }
    const { state, receipt } = await this.runCommand(packageId, last(batches.last));
    return { state, receipt: { cursor: receipt.cursor, types: [...types, ...receipt.types] } };
  }

  observeStamps(facts: PackageFacts): void {
    for (const stamp of [facts.publication, facts.stageStamp, facts.removal]) {
      if (stamp) this.clock.hybrid.observe(stamp);
    }
  }
}
