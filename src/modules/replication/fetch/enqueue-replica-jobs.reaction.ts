import { Injectable } from '@nestjs/common';
import type { RecordedEvent } from '../../../kernel/events.js';
import { Clock } from '../../../platform/runtime/clock.js';
import { AsReaction, type Reaction } from '../../../platform/eventsourcing/reaction.js';
import { withCause } from '../../../platform/jobs/job-runner.js';
import { JobQueue, type NewJob } from '../../../ports/job-queue.port.js';
import { replicaEvents, type ReplicaEvent } from '../contracts/replica.events.js';
import { firstFetchJobs, refetchJob } from './fetch-chunks.job.js';
import { publishReplicaJob } from './publish-replica.job.js';

/** Enqueues jobs for a requested replica, for a rejected chunk, for lost chunks and for a damaged file. */
@AsReaction()
@Injectable()
export class EnqueueReplicaJobs implements Reaction {
  readonly name = 'replication:enqueue-jobs';
  readonly eventTypes = ['ReplicaRequested', 'ReplicaDamaged', 'ChunksLost', 'ChunkRejected'];

  constructor(
    private readonly queue: JobQueue,
    private readonly clock: Clock,
  ) {}

  async react(record: RecordedEvent): Promise<void> {
    const event = replicaEvents.read(record);
    const jobs = event ? this.jobsAfter(event) : [];
    if (jobs.length > 0) await this.queue.enqueue(jobs.map(withCause));
  }

  private jobsAfter(event: ReplicaEvent): NewJob[] {
    if (event.type === 'ReplicaDamaged') {
      const { packageId, chunkCount, runs } = event.data;
      return runs.length === 0 ? [publishReplicaJob(packageId)] : firstFetchJobs(packageId, chunkCount);
    }
    if (event.type === 'ReplicaRequested' || event.type === 'ChunksLost') {
      const { packageId, chunkCount } = event.data;
      return chunkCount === 0 ? [publishReplicaJob(packageId)] : firstFetchJobs(packageId, chunkCount);
    }
    if (event.type !== 'ChunkRejected') return [];
    const { packageId, index, times } = event.data;
    return [refetchJob(packageId, index, times, this.clock.now())];
  }
}
