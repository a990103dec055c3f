import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Clock } from '../../../../platform/clock/clock.js';
import { Settings } from '../../../../platform/config/settings.js';
import { StreamReader } from '../../../../platform/cqrs/stream-reader.js';
import { EventStore } from '../../../../ports/event-store.port.js';
import { replicaHistory } from '../../contracts/replica-history.js';
import { ReplicaFiles } from '../replica-files.js';
import { DeleteWithdrawn } from './delete-withdrawn.command.js';

@CommandHandler(DeleteWithdrawn)
export class DeleteWithdrawnHandler implements ICommandHandler<DeleteWithdrawn> {
  private readonly replicas;

  constructor(
    store: EventStore,
    private readonly files: ReplicaFiles,
    private readonly settings: Settings,
    private readonly clock: Clock,
  ) {
    this.replicas = new StreamReader(store, replicaHistory);
  }

  async execute({ packageId }: DeleteWithdrawn): Promise<Date | null> {
    const { withdrawnSince: since } = await this.replicas.load(packageId);
    if (!since) return null;
    const due = new Date(since.getTime() + this.settings.withdrawnGraceMs);
    if (due > this.clock.now()) return due;
    await this.files.removeUnwanted(packageId);
    return null;
  }
}
