import { Injectable } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { AsJobHandler } from '../../../../platform/jobs/job-handlers.js';
import { JobQueue, type JobHandler } from '../../../../ports/job-queue.port.js';
import { PackageStorage } from '../../../../ports/package-storage.port.js';
import { SWEEP_WITHDRAWN } from '../../contracts/sweep-withdrawn.js';
import { WithdrawnReplicasQuery } from '../../queries/withdrawn-replicas.query.js';
import { deleteWithdrawnJob } from './delete-withdrawn.job.js';

/** Of all withdrawn replicas, those whose files are still there get their job again: the queue may have lost it. */
@AsJobHandler()
@Injectable()
export class SweepWithdrawnWorker implements JobHandler {
  readonly name = SWEEP_WITHDRAWN;
  readonly maxAttempts = 100;

  constructor(
    private readonly queries: QueryBus,
    private readonly storage: PackageStorage,
    private readonly queue: JobQueue,
  ) {}

  async handle(): Promise<void> {
    for (const { packageId } of await this.queries.execute(new WithdrawnReplicasQuery())) {
      const file = await this.storage.open(packageId);
      file?.close();
      if (file) await this.queue.enqueue([deleteWithdrawnJob(packageId)]);
    }
  }
}
