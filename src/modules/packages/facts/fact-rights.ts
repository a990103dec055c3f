import { Injectable } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ReadModels } from '../../../platform/eventsourcing/read-models.js';
import { EventStore } from '../../../ports/event-store.port.js';
import { RightsOfPeers } from '../../peers/contracts/peer-rights.js';
import type { PackageFacts } from '../contracts/package-facts.js';
import { FilenameHoldersQuery } from '../contracts/package-queries.js';
import { type AppliedRights, needsOtherPackages } from './peer-rights-rules.js';

/** Finds the rights that count for what a peer tells, and what is needed to apply them. */
@Injectable()
export class FactRights {
  constructor(
    private readonly peers: RightsOfPeers,
    private readonly queries: QueryBus,
    private readonly readModels: ReadModels,
    private readonly store: EventStore,
  ) {}

  /** @param ours is what this server knows of the package, and null when it is new here @throws Refusal UNAVAILABLE */
  async findApplied(ours: PackageFacts | null, told: PackageFacts, peerId: string): Promise<AppliedRights> {
    const rightsOf = (serverId: string) => this.peers.rightsOf(serverId);
    const rights = { ofTeller: this.peers.lastRightsOf(peerId), rightsOf };
    const withFilename = needsOtherPackages(ours, told, rights) ? await this.findHolders(told.filename) : [];
    return { ...rights, withFilename };
  }

  /**
   * Only the list of packages knows the other packages with a filename. It must show all that is recorded until now: two
   * items of one feed may follow each other faster than the list does.
   */
  private async findHolders(filename: string): Promise<AppliedRights['withFilename']> {
    await this.readModels.reflect({ cursor: await this.store.head(), types: ['PackagePublished', 'PackageRemoved'] });
    return this.queries.execute(new FilenameHoldersQuery(filename));
  }
}
