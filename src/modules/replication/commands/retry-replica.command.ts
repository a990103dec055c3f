import { Command } from '@nestjs/cqrs';
import type { Receipt } from '../../../platform/cqrs/command-runner.js';

/** Start a failed replica anew. Refusals: REPLICA_NOT_FOUND, REPLICA_NOT_FAILED. */
export class RetryReplica extends Command<Receipt> {
  constructor(readonly packageId: string) {
    super();
  }
}
