import { Injectable } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import type { RecordedEvent } from '../../../kernel/event.js';
import type { Stage } from '../../../kernel/stage.js';
import { LiveViews } from '../../../platform/live-view/live-views.js';
import { ReadModels } from '../../../platform/projections/read-models.js';
import { AsReaction, type Reaction } from '../../../platform/reactions/reaction.js';
import { serverEvents } from '../../server/contracts/server.events.js';
import { ReviewReplica } from '../commands/review-replica.command.js';
import { ReplicasToReviewQuery } from '../contracts/replicas-to-review.query.js';

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
      const ids: readonly string[] = await this.queries.execute<ReplicasToReviewQuery, readonly string[]>(query);
      for (const id of ids) await this.commands.execute(new ReviewReplica(id));
      after = ids.at(-1) ?? null;
      if (after === null) return;
    }
  }
}
