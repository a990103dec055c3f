import { Injectable } from '@nestjs/common';
import { CommandRunner, type Outcome, type Receipt } from '../../../platform/eventsourcing/command-runner.js';
import { Clock } from '../../../platform/runtime/clock.js';
import type { ChunkDigests } from '../../../ports/package-storage.port.js';
import type { PackageFacts } from '../contracts/package-facts.js';
import { type ChunkPage, CHUNKS_PER_PAGE, type PackageEvent } from '../contracts/package.events.js';
import { packageAggregate, type PackageCommand, type PackageState } from './package.decider.js';

const SHA1_BYTES = 20;
const SHA256_BYTES = 32;
/** Pages in one append: about 36 KB each, and an append stays below 512 KiB. */
const MAX_PAGES_PER_APPEND = 13;

/** The digests of all chunks as pages. */
export function toPages({ sha1, sha256 }: ChunkDigests): ChunkPage[] {
  const chunks = sha256.length / SHA256_BYTES;
  const slice = (digests: Buffer, bytes: number, first: number, count: number): string =>
    digests.subarray(first * bytes, (first + count) * bytes).toString('base64');
  return Array.from({ length: Math.ceil(chunks / CHUNKS_PER_PAGE) }, (_, i) => {
    const first = i * CHUNKS_PER_PAGE;
    const count = Math.min(CHUNKS_PER_PAGE, chunks - first);
    return {
      first,
      count,
      sha1: slice(sha1, SHA1_BYTES, first, count),
      sha256: slice(sha256, SHA256_BYTES, first, count),
    };
  });
}

/** Pages for appends of their own, and those that go together with the last event. */
export function splitIntoAppends(pages: readonly ChunkPage[]): { before: ChunkPage[][]; last: ChunkPage[] } {
  const batches: ChunkPage[][] = [];
  for (let at = 0; at < pages.length; at += MAX_PAGES_PER_APPEND)
    batches.push(pages.slice(at, at + MAX_PAGES_PER_APPEND));
  const last = batches.pop() ?? [];
  return { before: batches, last };
}

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
