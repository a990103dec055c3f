import { Injectable } from '@nestjs/common';
import { Clock } from '../../../platform/clock/clock.js';
import { AsReaction, type Reaction } from '../../../platform/reactions/reaction.js';
import { JobQueue } from '../../../ports/job-queue.port.js';
import { wakeReplicasJob, wakeReplicasLaterJob } from '../contracts/wake-replicas.js';

/** What waits for a peer's time window, or for any peer at all, may be possible now. */
@AsReaction()
@Injectable()
export class WakeAfterPolicy implements Reaction {
  readonly name = 'replication:wake-after-policy';
  readonly eventTypes = ['PeerPolicyChanged', 'PeerResumed'];

  constructor(
    private readonly queue: JobQueue,
    private readonly clock: Clock,
  ) {}

  /** Once more a little later: the process that works on it may know of the change a moment after we do. */
  async react(): Promise<void> {
    await this.queue.enqueue([wakeReplicasJob(), wakeReplicasLaterJob(this.clock.now())]);
  }
}
