import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { replicaEntities } from './projections/entities.js';
import { ReplicasProjection } from './projections/replicas/replicas.projection.js';
import { ReplicasHandler } from './queries/replicas.handler.js';
import { ReplicasToReviewHandler, WithdrawnReplicasHandler } from './queries/withdrawn-replicas.handlers.js';
import { UnfinishedReplicasHandler } from './queries/unfinished-replicas.handler.js';
import {
  DifferencesHandler,
  InventoryEntriesHandler,
  InventoryHandler,
} from './queries/inventory/inventory.handlers.js';
import { PeerComparisonsHandler } from './queries/inventory/peer-comparisons.handler.js';
import {
  DuePackagesHandler,
  HeldIdsHandler,
  LastVerifiedHandler,
  ScrubHandler,
} from './queries/scrub/scrub.handlers.js';
import { PeerContactsHandler, SourcesHandler } from './queries/status/status.handlers.js';

const withdrawnQueries = [WithdrawnReplicasHandler, ReplicasToReviewHandler];
const scrubQueries = [DuePackagesHandler, HeldIdsHandler, LastVerifiedHandler, ScrubHandler];
const inventoryQueries = [InventoryHandler, InventoryEntriesHandler, DifferencesHandler, PeerComparisonsHandler];

const statusQueries = [PeerContactsHandler, SourcesHandler];

/** What can be asked about replicas. */
@Module({
  imports: [TypeOrmModule.forFeature(replicaEntities)],
  providers: [
    ReplicasProjection,
    ReplicasHandler,
    UnfinishedReplicasHandler,
    ...withdrawnQueries,
    ...scrubQueries,
    ...inventoryQueries,
    ...statusQueries,
  ],
})
export class ReplicationReadModule {}
