import { Injectable, Logger } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { AsBackgroundTask, type BackgroundTask } from '../../../platform/runtime/background-tasks.js';
import { JobQueue } from '../../../ports/job-queue.port.js';
import { PackageStorage } from '../../../ports/package-storage.port.js';
import { verifyPackageJob } from '../contracts/replica-jobs.js';
import { HeldIdsQuery } from './scrub.query.js';

const MAX_JOBS_PER_ENQUEUE = 500;

/** Has missing files fetched from peers when the server starts, as after a restore without them. */
@AsBackgroundTask({ name: 'missing files', phase: 'refill-queue', roles: ['all', 'worker'] })
@Injectable()
export class MissingFiles implements BackgroundTask {
  constructor(
    private readonly queries: QueryBus,
    private readonly storage: PackageStorage,
    private readonly queue: JobQueue,
  ) {}

  async start(): Promise<void> {
    const held = await this.queries.execute(new HeldIdsQuery());
    const there = await this.storage.listStored();
    const missing = held.filter((packageId) => !there.has(packageId));
    if (missing.length === 0) return;
    new Logger('Scrub').warn(`Number of packages whose file is missing in the data folder: ${missing.length}`);
    for (let at = 0; at < missing.length; at += MAX_JOBS_PER_ENQUEUE) {
      await this.queue.enqueue(missing.slice(at, at + MAX_JOBS_PER_ENQUEUE).map(verifyPackageJob));
    }
  }
}
