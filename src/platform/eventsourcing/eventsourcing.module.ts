import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { type Command, CqrsModule, type Query } from '@nestjs/cqrs';
import { PgListener } from '../runtime/pg-listener.js';
import { CommandRunner, FactsLog } from './command-runner.js';
import { FailingReaders } from '../failures/failing-readers.js';
import { LiveViews } from './live-views.js';
import { ProjectionProgress } from '../failures/projection-progress.js';
import { ProjectionRunner } from './projection-runner.js';
import { ProjectionRegistry } from './projection.js';
import { ReactionRunner, SubscriptionCursors } from './reaction.js';
import { ReadModelChanges } from './read-model-changes.js';
import { ReadModels } from './read-models.js';
import { StreamReader } from './stream-reader.js';
import { UnprocessableEvents } from '../failures/unprocessable-events.js';

declare module '../../kernel/message.js' {
  /** From these types, the buses of Nest infer the type of the result of a message. */
  interface Message<Result> extends Command<Result>, Query<Result> {}
}

/** Provides the buses for commands and queries, the command runner, the facts log and the stream reader. */
@Global()
@Module({
  imports: [CqrsModule.forRoot()],
  providers: [CommandRunner, FactsLog, StreamReader],
  exports: [CommandRunner, FactsLog, StreamReader, CqrsModule],
})
export class PlatformCqrsModule {}

/** Provides the record of the events that readers of the log cannot process. */
@Global()
@Module({ providers: [UnprocessableEvents, FailingReaders], exports: [UnprocessableEvents, FailingReaders] })
export class ReaderFailuresModule {}

/** Provides the live views, which are kept in memory. */
@Global()
@Module({ imports: [ReaderFailuresModule], providers: [LiveViews], exports: [LiveViews] })
export class LiveViewModule {}

/** Provides the projections, and notifications about changes of the read models. */
@Global()
@Module({
  imports: [DiscoveryModule, ReaderFailuresModule],
  providers: [PgListener, ProjectionRegistry, ReadModelChanges, ReadModels, ProjectionRunner, ProjectionProgress],
  exports: [PgListener, ProjectionRegistry, ReadModelChanges, ReadModels, ProjectionRunner, ProjectionProgress],
})
export class ProjectionsModule {}

/** Provides the delivery of recorded events to the reactions. */
@Global()
@Module({
  imports: [DiscoveryModule, ReaderFailuresModule],
  providers: [ReactionRunner, SubscriptionCursors],
  exports: [ReactionRunner, SubscriptionCursors],
})
export class ReactionsModule {}
