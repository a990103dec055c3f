import { Command } from '@nestjs/cqrs';

/** The whole file is verified and at its place. */
export class PublishReplica extends Command<void> {
  constructor(readonly packageId: string) {
    super();
  }
}
