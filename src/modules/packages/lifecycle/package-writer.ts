import { Injectable } from '@nestjs/common';
import { CommandRunner, type Outcome, type Receipt } from '../../../platform/eventsourcing/command-runner.js';
import type { ChunkPage, PackageEvent } from '../contracts/package.events.js';
import { splitIntoAppends } from './chunk-pages.js';
import { packageAggregate, type PackageCommand, type PackageState } from './package.decider.js';

type PackageOutcome = Outcome<PackageState, PackageEvent>;

/** Loads packages from their streams, decides commands on them and appends the events. */
@Injectable()
export class PackageWriter {
  constructor(private readonly runner: CommandRunner) {}

  loadPackage(packageId: string): Promise<PackageState> {
    return this.runner.load(packageAggregate, packageId);
  }

  /** Decides a command on the last state of the package and appends its events. @throws Refusal of the decider */
  async runCommand(packageId: string, command: PackageCommand): Promise<PackageOutcome> {
    return this.runner.run(packageAggregate, packageId, command);
  }

  /**
   * Records pages of chunk digests in appends of bounded size, and the last pages together with the command that `last`
   * makes of them. A crash in between leaves digests without a package, which no reader sees.
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
}
