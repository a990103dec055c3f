import { Module } from '@nestjs/common';
import { PackageReplicasResolver } from './api/package-replicas.resolver.js';
import { ReplicasResolver } from './api/replicas.resolver.js';
import {
  DelayReplicaHandler,
  PlanFetchHandler,
  PublishReplicaHandler,
  RecordChunksHandler,
  RecordDamageHandler,
} from './commands/progress/progress.handlers.js';
import { ReplicaFiles } from './commands/replica-files.js';
import { RetryReplicaHandler } from './commands/retry-replica.handler.js';
import { ReviewReplicaHandler } from './commands/review-replica.handler.js';
import { FeedController } from './feed/feed.controller.js';
import { FeedSource } from './feed/feed-source.js';
import { OpenFeeds } from './feed/open-feeds.js';
import { PackageContentController } from './feed/package-content.controller.js';
import { ReplicaNews } from './feed/staged/replica-news.js';
import { StagedContent } from './feed/staged/staged-content.js';
import { ChunkDigests } from './jobs/chunk-digests.js';
import { Delays } from './jobs/delays.js';
import { FetchChunksWorker } from './jobs/fetch/fetch-chunks.worker.js';
import { Arrivals } from './jobs/fetch/arrivals.js';
import { Attempts } from './jobs/fetch/attempt.js';
import { RunFetcher } from './jobs/fetch/run-fetcher.js';
import { PublishReplicaWorker } from './jobs/publish/publish-replica.worker.js';
import { RunningDigests } from './jobs/publish/running-digests.js';
import { Sources } from './jobs/sources/sources.js';
import { WakeReplicasWorker } from './jobs/wake-replicas.worker.js';
import { EnqueueReplicaJobs } from './reactions/enqueue-replica-jobs.js';
import { ReviewReplicas } from './reactions/review-replicas.js';
import { ReplicationReadModule } from './replication-read.module.js';
import { FeedCursors } from './subscriber/feed-cursors.js';
import { FeedFollowers } from './subscriber/feed-followers.js';
import { ItemHandler } from './subscriber/item-handler.js';

const commands = [
  ReplicaFiles,
  ReviewReplicaHandler,
  RetryReplicaHandler,
  PlanFetchHandler,
  RecordChunksHandler,
  DelayReplicaHandler,
  PublishReplicaHandler,
  RecordDamageHandler,
];
const jobs = [ChunkDigests, RunningDigests, Sources, Delays, Arrivals, Attempts, RunFetcher, FetchChunksWorker, PublishReplicaWorker, WakeReplicasWorker];
const feeds = [FeedSource, OpenFeeds, ReplicaNews, StagedContent, FeedCursors, ItemHandler, FeedFollowers];

/** What brings packages here from other servers, and lets others have ours, without what shows it. */
export const replicationProviders = [...commands, ...jobs, EnqueueReplicaJobs, ReviewReplicas, ...feeds];

/** Copies of packages between servers. `FeedFollowers.start` sets it going. */
@Module({
  imports: [ReplicationReadModule],
  controllers: [FeedController, PackageContentController],
  providers: [...replicationProviders, ReplicasResolver, PackageReplicasResolver],
  exports: [FeedFollowers],
})
export class ReplicationModule {}
