import { Command } from '@nestjs/cqrs';

/** Delete the file of a package if its removal is the last word. Repeating it changes nothing. */
export class DeleteRemovedFile extends Command<void> {
  constructor(readonly packageId: string) {
    super();
  }
}
