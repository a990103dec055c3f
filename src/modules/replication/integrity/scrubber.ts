import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { messageOf } from '../../../kernel/errors.js';
import { pause } from '../../../kernel/retry.js';
import { FailingReaders } from '../../../platform/failures/failing-readers.js';
import { isDatabaseUnavailable } from '../../../platform/http/errors/public-error.js';
import { readerOf } from '../../../platform/failures/unprocessable-events.js';
import { AsBackgroundTask, type BackgroundTask } from '../../../platform/runtime/background-tasks.js';
import { Settings } from '../../../platform/runtime/settings.js';
import { EventStoreUnavailable } from '../../../ports/event-store.port.js';
import { JobQueue, JobQueueUnavailable } from '../../../ports/job-queue.port.js';
import { PackageStorage, StorageMissing } from '../../../ports/package-storage.port.js';
import { verifyPackageJob } from '../contracts/replica-jobs.js';
import { ChunkDigests } from '../fetch/package-digests.js';
import { ReturnedFiles } from './missing-files.js';
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

/** True for an error that no package causes, so that each further one fails in the same way. */
const concernsAll = (error: unknown): boolean =>
  error instanceof StorageMissing ||
  [EventStoreUnavailable, JobQueueUnavailable].some((type) => error instanceof type) ||
  isDatabaseUnavailable(error);

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
  private readonly unreadable = new Set<string>();

  constructor(
    private readonly settings: Settings,
    private readonly queries: QueryBus,
    private readonly storage: PackageStorage,
    private readonly chunkDigests: ChunkDigests,
    private readonly records: ScrubRecords,
    private readonly queue: JobQueue,
    private readonly returned: ReturnedFiles,
    private readonly failures: FailingReaders,
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
      if (signal.aborted) return;
      await this.returned.verifyAll();
      await this.scrubDue(signal);
    }
  }

  /** Reads all files that are due now. @throws when the signal aborts */
  async scrubDue(signal: AbortSignal): Promise<void> {
    const { scrubRate, scrubDays } = this.settings;
    const pace = new ScrubPace(scrubRate);
    const before = new Date(Date.now() - scrubDays * DAY_MS);
    const handedOver = new Set<string>();
    // What cannot be read fails again in this pass, unless it is gone.
    for (const packageId of this.unreadable) this.noteReadable(packageId);
    for (let hasRead = false; ; hasRead = true) {
      const left = await this.queries.execute(new DuePackagesQuery(before, MAX_DUE_PER_READ, [...handedOver]));
      if (left.length === 0) return hasRead ? this.records.notePassFinished() : undefined;
      await this.records.saveState('RUNNING', scrubRate);
      for (const one of left) if (!(await this.isWholeOrSkipped(one, pace, signal))) handedOver.add(one.packageId);
    }
  }

  /** A package that cannot be read is left out, so that it does not hold up the others. */
  private async isWholeOrSkipped(one: DuePackage, pace: ScrubPace, signal: AbortSignal): Promise<boolean> {
    try {
      const isWhole = await this.isWhole(one, pace, signal);
      this.noteReadable(one.packageId);
      return isWhole;
    } catch (error) {
      if (signal.aborted || concernsAll(error)) throw error;
      this.logger.warn(`The package ${one.packageId} cannot be verified: ${messageOf(error)}`);
      this.unreadable.add(one.packageId);
      this.failures.noteFailure(readerOf.verification(one.packageId), error);
      return false;
    }
  }

  private noteReadable(packageId: string): void {
    if (this.unreadable.delete(packageId)) this.failures.forget(readerOf.verification(packageId));
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
