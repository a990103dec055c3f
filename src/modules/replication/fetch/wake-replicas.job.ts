import { Injectable } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { AsReaction, type Reaction } from '../../../platform/eventsourcing/reaction.js';
import { AsJobHandler } from '../../../platform/jobs/job-runner.js';
import { Clock } from '../../../platform/runtime/clock.js';
import { type JobHandler, JobQueue, type NewJob } from '../../../ports/job-queue.port.js';
import { WAKE_REPLICAS, wakeReplicasJob, wakeReplicasLaterJob } from '../contracts/replica-jobs.js';
import { type UnfinishedReplica, UnfinishedReplicasQuery } from '../read-model/own-replicas.query.js';
import { firstFetchJobs } from './fetch-chunks.job.js';
import { publishReplicaJob } from './publish-replica.job.js';

const MAX_JOBS_PER_ENQUEUE = 600;

/**
 * Enqueues the jobs of all unfinished replicas again, after a start and when a peer has returned. A job that is waiting
 * already is replaced by the new one, which is due at once.
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

/** After a change of policy, replicas that wait for a time window or for any peer may be able to continue. */
@AsReaction()
@Injectable()
export class WakeAfterPolicy implements Reaction {
  readonly name = 'replication:wake-after-policy';
  readonly eventTypes = ['PeerPolicyChanged', 'PeerResumed'];

  constructor(
    private readonly queue: JobQueue,
    private readonly clock: Clock,
  ) {}

  /** Wakes the replicas now and once more later, as the process that fetches may learn of the change a moment after this one. */
  async react(): Promise<void> {
    await this.queue.enqueue([wakeReplicasJob(), wakeReplicasLaterJob(this.clock.now())]);
  }
}
