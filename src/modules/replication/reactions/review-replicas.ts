import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { RecordedEvent } from '../../../kernel/event.js';
import { AsReaction, type Reaction } from '../../../platform/reactions/reaction.js';
import { packageEvents } from '../../packages/contracts/package.events.js';
import { ReviewReplica } from '../commands/review-replica.command.js';

/** A stage changed or a package removed by our own users may mean that we want a copy, or no longer do. */
@AsReaction()
@Injectable()
export class ReviewReplicas implements Reaction {
  readonly name = 'replication:review-replicas';
  readonly eventTypes = ['PackagePublished', 'PackageStageChanged', 'PackageRemoved'];

  constructor(private readonly commands: CommandBus) {}

  /** What comes from a peer is reviewed by the subscriber, which does not go on before. */
  async react(record: RecordedEvent): Promise<void> {
    const event = packageEvents.read(record);
    if (!event || !('source' in event.data) || event.data.source.kind !== 'local') return;
    await this.commands.execute(new ReviewReplica(event.data.packageId));
  }
}
