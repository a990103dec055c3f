import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { messageOf } from '../../../kernel/errors.js';
import { pause } from '../../../kernel/retry.js';
import { kindOfFailure } from '../../../platform/failures/failure-kind.js';
import { AsBackgroundTask, type BackgroundTask } from '../../../platform/runtime/background-tasks.js';
import { Settings } from '../../../platform/runtime/settings.js';
import { JobQueue } from '../../../ports/job-queue.port.js';
import { PackageStorage } from '../../../ports/package-storage.port.js';
import { verifyPackageJob } from '../contracts/replica-jobs.js';
import { ChunkDigests } from '../fetch/package-digests.js';
import { ScrubRecords } from './scrub-records.js';
import { type DuePackage, DuePackagesQuery } from './scrub.query.js';

/** Limits reading to an even rate. Time that was not used is not made up for later. */
export class ScrubPace {
  private freeAt = 0;

  constructor(private readonly bytesPerSecond: number) {}

  /** Resolves when the next bytes may be read. @throws when the signal aborts */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const now = performance.now();
    const waitMs = this.freeAt - now;
    this.freeAt = Math.max(now, this.freeAt) + (bytes / this.bytesPerSecond) * 1_000;
    if (waitMs > 0) await delay(waitMs, undefined, { signal });
  }
}

/** Wait after the start, which has more urgent work, and after a pass over all due packages. */
const REST_INTERVAL_MS = 60_000;
const MAX_DUE_PER_READ = 500;
const DAY_MS = 24 * 60 * 60_000;

/**
 * Reads the files of all held packages again and again at a low rate, starting with those that were verified longest ago.
 * One process of the server does this. A file that seems damaged is read once more by a job, which decides.
 */
@AsBackgroundTask({ name: 'scrub', phase: 'maintain', roles: ['all', 'worker'], lock: 'scrub' })
@Injectable()
export class Scrubber implements BackgroundTask {
  private readonly logger = new Logger('Scrub');

  constructor(
    private readonly settings: Settings,
    private readonly queries: QueryBus,
    private readonly storage: PackageStorage,
    private readonly chunkDigests: ChunkDigests,
    private readonly records: ScrubRecords,
    private readonly queue: JobQueue,
  ) {}

  get isEnabled(): boolean {
    return this.settings.scrubRate > 0;
  }

  async start(): Promise<void> {
    if (!this.isEnabled) await this.records.saveState('OFF', 0);
  }

  /** Reads all due files, rests, and starts again until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { scrubRate } = this.settings;
    while (!signal.aborted) {
      await this.records.saveState('WAITING', scrubRate);
      await pause(REST_INTERVAL_MS, [signal]);
      if (!signal.aborted) await this.scrubDue(signal);
    }
  }

  /** Reads all files that are due now. @throws when the signal aborts */
  async scrubDue(signal: AbortSignal): Promise<void> {
    const { scrubRate, scrubDays } = this.settings;
    const pace = new ScrubPace(scrubRate);
    const before = new Date(Date.now() - scrubDays * DAY_MS);
    const handedOver = new Set<string>();
    for (let hasRead = false; ; hasRead = true) {
      const due = await this.queries.execute(new DuePackagesQuery(before, MAX_DUE_PER_READ));
      const left = due.filter(({ packageId }) => !handedOver.has(packageId));
      if (left.length === 0) return hasRead ? this.records.notePassFinished() : undefined;
      await this.records.saveState('RUNNING', scrubRate);
      for (const one of left) if (!(await this.isWholeOrSkipped(one, pace, signal))) handedOver.add(one.packageId);
    }
  }

  /** A package whose history cannot be processed is left out, so that it does not hold up the others. */
  private async isWholeOrSkipped(one: DuePackage, pace: ScrubPace, signal: AbortSignal): Promise<boolean> {
    try {
      return await this.isWhole(one, pace, signal);
    } catch (error) {
      if (signal.aborted || kindOfFailure(error) !== 'event') throw error;
      this.logger.warn(`The package ${one.packageId} cannot be read again: ${messageOf(error)}`);
      return false;
    }
  }

  private async isWhole(
    { packageId, size, chunkCount }: DuePackage,
    pace: ScrubPace,
    signal: AbortSignal,
  ): Promise<boolean> {
    signal.throwIfAborted();
    const sha256 = await this.chunkDigests.digestsOf(packageId, chunkCount, 0, chunkCount);
    const damage = await this.storage.findDamage(packageId, { size, sha256 }, (bytes) => pace.take(bytes, signal));
    if (damage) await this.queue.enqueue([verifyPackageJob(packageId)]);
    else await this.records.noteVerified(packageId);
    return damage === null;
  }
}
