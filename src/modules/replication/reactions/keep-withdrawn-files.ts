import { Injectable } from '@nestjs/common';
import type { RecordedEvent } from '../../../kernel/event.js';
import { withCause } from '../../../platform/jobs/caused.js';
import { AsReaction, type Reaction } from '../../../platform/reactions/reaction.js';
import { JobQueue } from '../../../ports/job-queue.port.js';
import { replicaEvents } from '../contracts/replica.events.js';
import { deleteWithdrawnJob } from '../jobs/withdrawn/delete-withdrawn.job.js';

/** A replica that its stage took away keeps its file for the grace time; a job deletes it after that. */
@AsReaction()
@Injectable()
export class KeepWithdrawnFiles implements Reaction {
  readonly name = 'replication:delete-withdrawn-files';
  readonly eventTypes = ['ReplicaWithdrawn'];

  constructor(private readonly queue: JobQueue) {}

  async react(record: RecordedEvent): Promise<void> {
    const event = replicaEvents.read(record);
    if (event?.type !== 'ReplicaWithdrawn' || event.data.reason !== 'stage') return;
    await this.queue.enqueue([withCause(deleteWithdrawnJob(event.data.packageId))]);
  }
}
