import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { type Command, CqrsModule, type Query } from '@nestjs/cqrs';
import { PgListener } from '../runtime/pg-listener.js';
import { CommandRunner, FactsLog } from './command-runner.js';
import { LiveViews } from './live-views.js';
import { ProjectionRunner } from './projection-runner.js';
import { ProjectionRegistry } from './projection.js';
import { ReactionRunner, SubscriptionCursors } from './reaction.js';
import { ReadModelChanges } from './read-model-changes.js';
import { ReadModels } from './read-models.js';
import { StreamReader } from './stream-reader.js';

declare module '../../kernel/message.js' {
  /** The buses infer the result of a message from this. */
  interface Message<Result> extends Command<Result>, Query<Result> {}
}

@Global()
@Module({
  imports: [CqrsModule.forRoot()],
  providers: [CommandRunner, FactsLog, StreamReader],
  exports: [CommandRunner, FactsLog, StreamReader, CqrsModule],
})
export class PlatformCqrsModule {}

@Global()
@Module({ providers: [LiveViews], exports: [LiveViews] })
export class LiveViewModule {}

@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [PgListener, ProjectionRegistry, ReadModelChanges, ReadModels, ProjectionRunner],
  exports: [PgListener, ProjectionRegistry, ReadModelChanges, ReadModels, ProjectionRunner],
})
export class ProjectionsModule {}

@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [ReactionRunner, SubscriptionCursors],
  exports: [ReactionRunner, SubscriptionCursors],
})
export class ReactionsModule {}
