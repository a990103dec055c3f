import { Injectable, Logger } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import type { RecordedEvent } from '../../../kernel/events.js';
import type { Stage } from '../../../kernel/stage.js';
import { UnprocessableEvent } from '../../../platform/failures/failure-kind.js';
import { LiveViews } from '../../../platform/eventsourcing/live-views.js';
import { AsReaction, type Reaction } from '../../../platform/eventsourcing/reaction.js';
import { ReadModels } from '../../../platform/eventsourcing/read-models.js';
import { packageEvents } from '../../packages/contracts/package.events.js';
import { serverEvents } from '../../server/contracts/server.events.js';
import { ReplicasToReviewQuery } from '../read-model/own-replicas.query.js';
import { ReviewReplica } from './review-replica.command.js';

/** Reviews our copy after our own users have published a package, changed its stage or removed it. */
@AsReaction()
@Injectable()
export class ReviewReplicas implements Reaction {
  readonly name = 'replication:review-replicas';
  readonly eventTypes = ['PackagePublished', 'PackageStageChanged', 'PackageRemoved'];

  constructor(private readonly commands: CommandBus) {}

  /** Events from a peer are left out: `ItemHandler` reviews the copy itself before it continues. */
  async react(record: RecordedEvent): Promise<void> {
    const event = packageEvents.read(record);
    if (!event || !('source' in event.data) || event.data.source.kind !== 'local') return;
    await this.commands.execute(new ReviewReplica(event.data.packageId));
  }
}

const PAGE_SIZE = 500;

/**
 * After the stage of this server has changed, by a user or by its environment, copies that it must not have are withdrawn,
 * and files that are still there are adopted. Other packages arrive with the feeds of the peers, which are read from the
 * start. After a crash in the middle the event comes again.
 */
@AsReaction()
@Injectable()
export class ReviewForOwnStage implements Reaction {
  readonly name = 'replication:review-for-own-stage';
  readonly eventTypes = ['ServerSettingsChanged'];
  private readonly logger = new Logger('Replication');
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
    // The server's identity knows the stage, and the read model the replicas. Both have to show the event first.
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
      for (const id of ids) await this.reviewOne(id);
      after = ids.at(-1) ?? null;
      if (after === null) return;
    }
  }

  /** A package whose history cannot be processed keeps its copy, and does not hold up the others. */
  private async reviewOne(packageId: string): Promise<void> {
    try {
      await this.commands.execute(new ReviewReplica(packageId));
    } catch (error) {
      if (!(error instanceof UnprocessableEvent)) throw error;
      this.logger.warn(error.message);
    }
  }
}
