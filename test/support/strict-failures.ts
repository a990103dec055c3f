import { Refusal } from '../../src/kernel/errors.js';
import { ItemFailures } from '../../src/modules/replication/follow/follow-records.js';
import type { Failure, FailureRecord } from '../../src/platform/failures/unprocessable-events.js';
import type { PeerContact } from '../../src/ports/peer-directory.port.js';

/** A record for tests in which every event can be processed: what cannot be fails the test. */
export const strictFailures: FailureRecord = {
  note: ({ error }: Failure) => Promise.reject(error instanceof Error ? error : new Error(String(error))),
};

/** The same for items of peers. A peer may tell what is refused. */
export class StrictItemFailures extends ItemFailures {
  override async note(_peer: PeerContact, _id: string, error: unknown): Promise<void> {
    if (!(error instanceof Refusal)) throw error;
  }

  override async noteUsed(): Promise<void> {}
}
