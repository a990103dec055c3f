import { Injectable } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import type { RecordedEvent } from '../../../kernel/event.js';
import { ReadModels } from '../../../platform/projections/read-models.js';
import { AsReaction, type Reaction } from '../../../platform/reactions/reaction.js';
import { replicaEvents } from '../../replication/contracts/replica.events.js';
import { SupersedePackage } from '../commands/supersede/supersede-package.command.js';
import { packageEvents } from '../contracts/package.events.js';
import { SupersededPackagesQuery, type SupersededPackages } from '../contracts/superseded-packages.query.js';

/**
 * When another content takes over a filename here, that goes on record for the one that had it. Which one is served
 * follows from the publications alone; the record says since when, and that somebody's upload was overtaken.
 */
@AsReaction()
@Injectable()
export class RecordSuperseded implements Reaction {
  readonly name = 'packages:record-superseded';
  readonly eventTypes = ['PackagePublished', 'PackageStageChanged', 'PackageRemoved', 'ReplicaPublished'];

  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly readModels: ReadModels,
  ) {}

  async react(record: RecordedEvent): Promise<void> {
    const packageId = (packageEvents.read(record) ?? replicaEvents.read(record))?.data.packageId;
    if (packageId === undefined) return;
    await this.readModels.reflect({ cursor: record.cursor, types: [record.type] });
    const query = new SupersededPackagesQuery(packageId);
    const found = await this.queries.execute<SupersededPackagesQuery, SupersededPackages | null>(query);
    if (!found) return;
    for (const superseded of found.packageIds) await this.commands.execute(new SupersedePackage(superseded, found.by));
  }
}
