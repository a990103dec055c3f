import { Injectable } from '@nestjs/common';
import type { RecordedEvent } from '../../../kernel/events.js';
import { Clock } from '../../../platform/runtime/clock.js';
import { AsReaction, type Reaction } from '../../../platform/eventsourcing/reaction.js';
import { withCause } from '../../../platform/jobs/job-runner.js';
import { JobQueue, type NewJob } from '../../../ports/job-queue.port.js';
import { PackageStorage } from '../../../ports/package-storage.port.js';
import { verifyPackageJob } from '../contracts/replica-jobs.js';
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
    private readonly storage: PackageStorage,
  ) {}

  async react(record: RecordedEvent): Promise<void> {
    const event = replicaEvents.read(record);
    const jobs = event ? this.jobsAfter(event) : [];
    if (event?.type === 'ReplicaRequested') jobs.push(...(await this.recoveryJobs(event.data.packageId)));
    if (jobs.length > 0) await this.queue.enqueue(jobs.map(withCause));
  }

  /** Its file may be on the disk already, when it was not known to this database for some time. */
  private async recoveryJobs(packageId: string): Promise<readonly NewJob[]> {
    return (await this.storage.hasCandidate(packageId)) ? [verifyPackageJob(packageId)] : [];
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
