import { Command } from '@nestjs/cqrs';

/** Give a pending replica up, with a reason for an administrator's eyes. */
export class FailReplica extends Command<void> {
  constructor(
    readonly packageId: string,
    readonly code: string,
    readonly reason: string,
  ) {
    super();
  }
}
