import { Injectable } from '@nestjs/common';
import { Command, CommandBus, CommandHandler, type ICommandHandler, QueryBus } from '@nestjs/cqrs';
import type { RecordedEvent } from '../../../kernel/events.js';
import { kindOfFailure } from '../../../platform/failures/failure-kind.js';
import { AsReaction, type Reaction } from '../../../platform/eventsourcing/reaction.js';
import { ReadModels } from '../../../platform/eventsourcing/read-models.js';
import { readLocalReplicaEvent } from '../contracts/local-replica.events.js';
import { packageEvents, type PackageSuperseded } from '../contracts/package.events.js';
import { SupersededPackagesQuery } from '../read-model/superseded-packages.query.js';
import { PackageWriter } from './package-writer.js';

/** Records that another package has taken over the filename of this one. Repeating it changes nothing. */
export class SupersedePackage extends Command<void> {
  constructor(
    readonly packageId: string,
    readonly by: PackageSuperseded['data']['by'],
  ) {
    super();
  }
}

/**
 * Records for a package that another one with the same filename is served in its place now. Which package is served
 * follows from the publications alone. The record says since when, and tells whose upload was overtaken.
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
    const packageId = (packageEvents.read(record) ?? readLocalReplicaEvent(record))?.data.packageId;
    if (packageId === undefined) return;
    await this.readModels.reflect({ cursor: record.cursor, types: [record.type] });
    const query = new SupersededPackagesQuery(packageId);
    const found = await this.queries.execute(query);
    if (!found) return;
    const failures: unknown[] = [];
    for (const superseded of found.packageIds) {
      const command = new SupersedePackage(superseded, found.by);
      await this.commands.execute(command).catch((error: unknown) => failures.push(error));
    }
    // One package whose history cannot be processed does not keep the others from being recorded.
    if (failures.length > 0) throw failures.find((error) => kindOfFailure(error) !== 'event') ?? failures[0];
  }
}

@CommandHandler(SupersedePackage)
export class SupersedePackageHandler implements ICommandHandler<SupersedePackage> {
  constructor(private readonly packages: PackageWriter) {}

  async execute({ packageId, by }: SupersedePackage): Promise<void> {
    await this.packages.runCommand(packageId, { type: 'supersede', by });
  }
}
