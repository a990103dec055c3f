import { Injectable, Logger } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { AsBackgroundTask, type BackgroundTask } from '../../../platform/runtime/background-tasks.js';
import { JobQueue } from '../../../ports/job-queue.port.js';
import { PackageStorage, type UnclaimedFile } from '../../../ports/package-storage.port.js';
import { verifyPackageJob } from '../contracts/replica-jobs.js';
import { AwaitedIdsQuery, HeldIdsQuery } from './scrub.query.js';

const MAX_JOBS_PER_ENQUEUE = 500;

/**
 * Finds files that are on the disk again although their packages were recorded as damaged or as not here yet, and files
 * aside whose packages are held, as after a package was uploaded again.
 */
@Injectable()
export class ReturnedFiles {
  /** Files aside whose package is held and that were looked at. What is left of them is not the package. */
  private readonly looked = new Set<string>();

  constructor(
    private readonly queries: QueryBus,
    private readonly storage: PackageStorage,
    private readonly queue: JobQueue,
  ) {}

  /** Has each of these files verified soon, after which a whole one is served again. Returns their number. */
  async verifyAll(): Promise<number> {
    const unclaimed = await this.storage.unclaimed.list();
    const found = [...(await this.storage.listStored()), ...unclaimed.flatMap(({ packageId }) => packageId ?? [])];
    const awaited = new Set(await this.queries.execute(new AwaitedIdsQuery()));
    const returned = [...new Set(found)].filter((packageId) => awaited.has(packageId));
    await enqueueVerifications(this.queue, [...returned, ...(await this.findCopies(unclaimed))]);
    return returned.length;
  }

  /** The held packages of files aside that were not looked at before. */
  private async findCopies(unclaimed: readonly UnclaimedFile[]): Promise<readonly string[]> {
    const files = unclaimed.filter(({ name }) => !this.looked.has(name));
    if (files.length === 0) return [];
    const held = new Set(await this.queries.execute(new HeldIdsQuery()));
    const copies = files.filter(({ packageId }) => packageId !== null && held.has(packageId));
    for (const { name } of copies) this.looked.add(name);
    return [...new Set(copies.flatMap(({ packageId }) => packageId ?? []))];
  }
}

async function enqueueVerifications(queue: JobQueue, packageIds: readonly string[]): Promise<void> {
  for (let at = 0; at < packageIds.length; at += MAX_JOBS_PER_ENQUEUE) {
    await queue.enqueue(packageIds.slice(at, at + MAX_JOBS_PER_ENQUEUE).map(verifyPackageJob));
  }
}

/**
 * When the server starts, has files verified that are back, and missing files fetched from peers, as after a restore
 * without them.
 */
@AsBackgroundTask({ name: 'missing files', phase: 'refill-queue', roles: ['all', 'worker'] })
@Injectable()
export class MissingFiles implements BackgroundTask {
  private readonly logger = new Logger('Scrub');

  constructor(
    private readonly queries: QueryBus,
    private readonly storage: PackageStorage,
    private readonly queue: JobQueue,
    private readonly returned: ReturnedFiles,
  ) {}

  async start(): Promise<void> {
    const count = await this.returned.verifyAll();
    if (count > 0) this.logger.log(`Number of packages whose file is on the disk again and is verified: ${count}`);
    const held = await this.queries.execute(new HeldIdsQuery());
    const there = await this.storage.listStored();
    const missing = held.filter((packageId) => !there.has(packageId));
    if (missing.length === 0) return;
    this.logger.warn(`Number of packages whose file is missing in the data folder: ${missing.length}`);
    await enqueueVerifications(this.queue, missing);
  }
}
