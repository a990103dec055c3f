import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { withCause } from '../../../../platform/jobs/caused.js';
import { AsJobHandler } from '../../../../platform/jobs/job-handlers.js';
import { JobQueue, type JobHandler, type RunningJob } from '../../../../ports/job-queue.port.js';
import { DeleteWithdrawn } from '../../commands/withdrawn/delete-withdrawn.command.js';
import { DELETE_WITHDRAWN, DeleteWithdrawnData, deleteWithdrawnJob } from './delete-withdrawn.job.js';

/** Comes back when the grace time is over. */
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
