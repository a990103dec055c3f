import { Injectable } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { AsJobHandler } from '../../../platform/jobs/job-handlers.js';
import { JobQueue, type JobHandler, type NewJob } from '../../../ports/job-queue.port.js';
import { WAKE_REPLICAS } from '../contracts/wake-replicas.js';
import { UnfinishedReplicasQuery, type UnfinishedReplica } from '../queries/unfinished-replicas.query.js';
import { firstFetchJobs } from './fetch/fetch-chunks.job.js';
import { publishReplicaJob } from './publish/publish-replica.job.js';

const MAX_JOBS_PER_ENQUEUE = 600;

/**
 * Enqueues the jobs of unfinished replicas anew, after a start and when a peer is back. A job that waits already is
 * replaced by the new one, which does not wait.
 */
@AsJobHandler()
@Injectable()
export class WakeReplicasWorker implements JobHandler {
  readonly name = WAKE_REPLICAS;
  readonly maxAttempts = 100;

  constructor(
    private readonly queries: QueryBus,
    private readonly queue: JobQueue,
  ) {}

  async handle(): Promise<void> {
    const unfinished = await this.queries.execute(new UnfinishedReplicasQuery());
    const jobs = unfinished.filter(({ failed }) => !failed).flatMap(jobsOf);
    for (let at = 0; at < jobs.length; at += MAX_JOBS_PER_ENQUEUE)
      await this.queue.enqueue(jobs.slice(at, at + MAX_JOBS_PER_ENQUEUE));
  }
}

const jobsOf = ({ packageId, chunkCount, missing }: UnfinishedReplica): NewJob[] =>
  missing.length === 0 ? [publishReplicaJob(packageId)] : firstFetchJobs(packageId, chunkCount);
