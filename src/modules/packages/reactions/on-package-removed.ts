import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { RecordedEvent } from '../../../kernel/event.js';
import { AsReaction, type Reaction } from '../../../platform/reactions/reaction.js';
import { DeleteRemovedFile } from '../commands/files/delete-removed-file.command.js';
import { packageEvents } from '../contracts/package.events.js';

/** A removed package's file goes, also when the server was killed right after the removal. */
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
