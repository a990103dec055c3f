import { Command } from '@nestjs/cqrs';

/** Note why a pending replica does not get on. Repeating the same cause changes nothing. */
export class DelayReplica extends Command<void> {
  constructor(
    readonly packageId: string,
    readonly code: string,
    readonly reason: string,
    readonly fromPeerId: string | null,
  ) {
    super();
  }
}
