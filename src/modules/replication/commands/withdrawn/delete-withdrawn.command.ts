import { Command } from '@nestjs/cqrs';

/**
 * Delete the file of a replica that was withdrawn because of its stage, once its grace time is over. Gives when that
 * will be; null when there is nothing left to do. Repeating it changes nothing.
 */
export class DeleteWithdrawn extends Command<Date | null> {
  constructor(readonly packageId: string) {
    super();
  }
}
