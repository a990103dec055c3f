import { Injectable } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import type { RecordedEvent } from '../../../kernel/events.js';
import type { Stage } from '../../../kernel/stage.js';
import { LiveViews } from '../../../platform/eventsourcing/live-views.js';
import { AsReaction, type Reaction } from '../../../platform/eventsourcing/reaction.js';
import { ReadModels } from '../../../platform/eventsourcing/read-models.js';
import { packageEvents } from '../../packages/contracts/package.events.js';
import { serverEvents } from '../../server/contracts/server.events.js';
import { ReplicasToReviewQuery } from '../read-model/own-replicas.query.js';
import { ReviewReplica } from './review-replica.command.js';

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

const PAGE_SIZE = 500;

/**
 * A server whose own stage changed, by a user or by its environment, withdraws what it may no longer have, and takes
 * back what it still has the files of. What it gains beside that comes with its peers' feeds, which are read anew. After
 * a crash in the middle the event comes again.
 */
@AsReaction()
@Injectable()
export class ReviewForOwnStage implements Reaction {
  readonly name = 'replication:review-for-own-stage';
  readonly eventTypes = ['ServerSettingsChanged'];
  private reviewed: Stage | null = null;

  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly views: LiveViews,
    private readonly readModels: ReadModels,
  ) {}

  async react(record: RecordedEvent): Promise<void> {
    const event = serverEvents.read(record);
    if (!event || event.type === 'ServerKeyRotated' || event.data.stage === this.reviewed) return;
    const receipt = { cursor: record.cursor, types: [record.type] };
    // The server's identity says which stage counts, and the read model which replicas there are.
    await this.views.reflect(receipt);
    await this.readModels.reflect(receipt);
    await this.reviewAll();
    this.reviewed = event.data.stage;
  }

  private async reviewAll(): Promise<void> {
    let after: string | null = null;
    for (;;) {
      const query: ReplicasToReviewQuery = new ReplicasToReviewQuery(after, PAGE_SIZE);
      const ids: readonly string[] = await this.queries.execute(query);
      for (const id of ids) await this.commands.execute(new ReviewReplica(id));
      after = ids.at(-1) ?? null;
      if (after === null) return;
    }
  }
}
