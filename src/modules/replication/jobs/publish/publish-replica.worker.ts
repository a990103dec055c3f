import { Injectable } from '@nestjs/common';
import { AsJobHandler } from '../../../../platform/jobs/job-handlers.js';
import type { JobHandler, RunningJob } from '../../../../ports/job-queue.port.js';
import { PUBLISH_REPLICA, PublishReplicaData } from './publish-replica.job.js';
import { ReplicaPublisher } from './replica-publisher.js';

/** For replicas that have nothing to fetch; the others are published by the job that fetched their last chunk. */
@AsJobHandler()
@Injectable()
export class PublishReplicaWorker implements JobHandler {
  readonly name = PUBLISH_REPLICA;
  readonly maxAttempts = 30_000;

  constructor(private readonly publisher: ReplicaPublisher) {}

  handle({ data, signal }: RunningJob): Promise<void> {
    return this.publisher.publish(PublishReplicaData.parse(data).packageId, signal);
  }
}
