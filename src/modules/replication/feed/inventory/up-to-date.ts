import { Injectable } from '@nestjs/common';
import { ReadModels } from '../../../../platform/projections/read-models.js';
import { EventStore } from '../../../../ports/event-store.port.js';

/** Both sides of a comparison speak of their own present, not of what their read models showed a while ago. */
@Injectable()
export class UpToDate {
  constructor(
    private readonly store: EventStore,
    private readonly readModels: ReadModels,
  ) {}

  /** Resolves when the read models of packages and replicas show all that is in the log now. @throws Refusal UNAVAILABLE */
  async waitForReadModels(): Promise<void> {
    const cursor = await this.store.head();
    await this.readModels.reflect({ cursor, types: ['PackagePublished', 'ReplicaReported'] });
  }
}
