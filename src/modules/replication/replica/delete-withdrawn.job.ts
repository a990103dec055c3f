import { Injectable } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { z } from 'zod';
import type { RecordedEvent } from '../../../kernel/events.js';
import { AsReaction, type Reaction } from '../../../platform/eventsourcing/reaction.js';
import { AsJobHandler, withCause } from '../../../platform/jobs/job-runner.js';
import { type JobHandler, JobQueue, type NewJob, type RunningJob } from '../../../ports/job-queue.port.js';
import { PackageStorage } from '../../../ports/package-storage.port.js';
import { SWEEP_WITHDRAWN } from '../contracts/replica-jobs.js';
import { replicaEvents } from '../contracts/replica.events.js';
import { DeleteWithdrawn } from './delete-withdrawn.command.js';
import { WithdrawnReplicasQuery } from '../read-model/own-replicas.query.js';

const DELETE_WITHDRAWN = 'delete-withdrawn';

const DeleteWithdrawnData = z.object({ packageId: z.string() });

/** A job that deletes the file of a withdrawn replica, not before `runAt`. It checks the grace time when it runs. */
const deleteWithdrawnJob = (packageId: string, runAt?: Date): NewJob => ({
  name: DELETE_WITHDRAWN,
  key: `withdrawn:${packageId}`,
  data: { packageId },
  ...(runAt && { runAt }),
});

/** Deletes the file, or enqueues itself again for the end of the grace time. */
@AsJobHandler()
@Injectable()
export class DeleteWithdrawnWorker implements JobHandler {
  readonly name = DELETE_WITHDRAWN;
  readonly maxAttempts = 1_000;

  constructor(
    private readonly commands: CommandBus,
    private readonly queue: JobQueue,
  ) {}

  async handle({ data }: RunningJob): Promise<void> {
    const { packageId } = DeleteWithdrawnData.parse(data);
    const due = await this.commands.execute(new DeleteWithdrawn(packageId));
    if (due) await this.queue.enqueue([withCause(deleteWithdrawnJob(packageId, due))]);
  }
}

/** Enqueues the deletion of every withdrawn replica whose file is still there, in case the queue has lost the job. */
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
      // A file that cannot be opened is there, too: the job of that file fails by itself and holds up no other one.
      const file = await this.storage.openStored(packageId).catch(() => 'unreadable' as const);
      if (file !== null && file !== 'unreadable') file.close();
      if (file) await this.queue.enqueue([deleteWithdrawnJob(packageId)]);
    }
  }
}

/** A replica that is withdrawn because of its stage keeps its file for the grace time. Then a job deletes the file. */
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
