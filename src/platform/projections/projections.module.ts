import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { PgListener } from '../database/pg-listener.js';
import { ProjectionRegistry } from './projection-registry.js';
import { ProjectionRunner } from './running/projection-runner.js';
import { ReadModelChanges } from './read-model-changes.js';
import { ReadModels } from './read-models.js';

@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [PgListener, ProjectionRegistry, ReadModelChanges, ReadModels, ProjectionRunner],
  exports: [PgListener, ProjectionRegistry, ReadModelChanges, ReadModels, ProjectionRunner],
})
export class ProjectionsModule {}
