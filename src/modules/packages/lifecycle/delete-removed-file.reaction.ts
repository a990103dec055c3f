import { Injectable } from '@nestjs/common';
import { Command, CommandBus, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { RecordedEvent } from '../../../kernel/events.js';
import { AsReaction, type Reaction } from '../../../platform/eventsourcing/reaction.js';
import { PackageStorage } from '../../../ports/package-storage.port.js';
import { isRemoved } from '../contracts/package-facts.js';
import { packageEvents } from '../contracts/package.events.js';
import { PackageWriter } from './package-writer.js';

/** Deletes the file of a package if the package is removed and was not published again. Repeating it changes nothing. */
export class DeleteRemovedFile extends Command<void> {
  constructor(readonly packageId: string) {
    super();
  }
}

/** Deletes the file of each removed package, also when the server was killed right after the removal. */
@AsReaction()
@Injectable()
export class DeleteRemovedFiles implements Reaction {
  readonly name = 'packages:delete-removed-files';
  readonly eventTypes = ['PackageRemoved'];

  constructor(private readonly commands: CommandBus) {}

  async react(record: RecordedEvent): Promise<void> {
    const event = packageEvents.read(record);
    if (event?.type === 'PackageRemoved') await this.commands.execute(new DeleteRemovedFile(event.data.packageId));
  }
}

@CommandHandler(DeleteRemovedFile)
export class DeleteRemovedFileHandler implements ICommandHandler<DeleteRemovedFile> {
  constructor(
    private readonly packages: PackageWriter,
    private readonly storage: PackageStorage,
  ) {}

  async execute({ packageId }: DeleteRemovedFile): Promise<void> {
    const isRemovedNow = async (): Promise<boolean> => {
      const { facts } = await this.packages.loadPackage(packageId);
      return facts !== null && isRemoved(facts);
    };
    if (await isRemovedNow()) await this.storage.removeStored(packageId, isRemovedNow);
  }
}
