import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { StreamReader } from '../../../platform/eventsourcing/stream-reader.js';
import { Clock } from '../../../platform/runtime/clock.js';
import { Settings } from '../../../platform/runtime/settings.js';
import { ourReplica } from './our-replica.js';
import { ReplicaFiles } from './replica-files.js';

/**
 * Deletes the file of a replica that was withdrawn because of its stage, if its grace time is over. Otherwise gives when
 * the grace time ends; null when nothing is left to do. Repeating it changes nothing.
 */
export class DeleteWithdrawn extends Command<Date | null> {
  constructor(readonly packageId: string) {
    super();
  }
}

@CommandHandler(DeleteWithdrawn)
export class DeleteWithdrawnHandler implements ICommandHandler<DeleteWithdrawn> {
  constructor(
    private readonly streams: StreamReader,
    private readonly files: ReplicaFiles,
    private readonly settings: Settings,
    private readonly clock: Clock,
  ) {}

  async execute({ packageId }: DeleteWithdrawn): Promise<Date | null> {
    const { withdrawnSince: since } = await this.streams.load(ourReplica, packageId);
    if (!since) return null;
    const due = new Date(since.getTime() + this.settings.withdrawnGraceMs);
    if (due > this.clock.now()) return due;
    await this.files.removeUnwanted(packageId);
    return null;
  }
}
