import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { replicaEntities } from './projections/entities.js';
import { ReplicasProjection } from './projections/replicas/replicas.projection.js';
import { ReplicasHandler } from './queries/replicas.handler.js';
import { ReplicasToReviewHandler, WithdrawnReplicasHandler } from './queries/withdrawn-replicas.handlers.js';
import { UnfinishedReplicasHandler } from './queries/unfinished-replicas.handler.js';

/** What can be asked about replicas. */
@Module({
  imports: [TypeOrmModule.forFeature(replicaEntities)],
  providers: [ReplicasProjection, ReplicasHandler, UnfinishedReplicasHandler, WithdrawnReplicasHandler, ReplicasToReviewHandler],
})
export class ReplicationReadModule {}
