import { Module } from '@nestjs/common';
import { PackageReplicasResolver } from './api/package-replicas.resolver.js';
import { ReplicaSourcesResolver } from './api/replica-sources.resolver.js';
import { ReplicasResolver } from './api/replicas.resolver.js';
import { VerificationResolver } from './api/verification.resolver.js';
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
import { DeleteWithdrawnHandler } from './commands/withdrawn/delete-withdrawn.handler.js';
import { HeldPackages } from './commands/verify/held-packages.js';
import { PlanVerificationHandler, ReportDamageHandler } from './commands/verify/verification.handlers.js';
import { VerifyPackageHandler } from './commands/verify/verify-package.handler.js';
import { FeedController } from './feed/feed.controller.js';
import { FeedSource } from './feed/feed-source.js';
import { InventoryController } from './feed/inventory/inventory.controller.js';
import { UpToDate } from './feed/inventory/up-to-date.js';
import { OpenFeeds } from './feed/open-feeds.js';
import { PackageContentController } from './feed/package-content.controller.js';
import { ServedPeers } from './feed/served-peers.js';
import { ReplicaNews } from './feed/staged/replica-news.js';
import { StagedContent } from './feed/staged/staged-content.js';
import { ChunkDigests } from './jobs/chunk-digests.js';
import { Delays } from './jobs/delays.js';
import { FetchChunksWorker } from './jobs/fetch/fetch-chunks.worker.js';
import { ChunkArrivals } from './jobs/fetch/arrivals.js';
import { ChunkFetch } from './jobs/fetch/attempt.js';
import { RangeFetcher } from './jobs/fetch/run-fetcher.js';
import { PublishReplicaWorker } from './jobs/publish/publish-replica.worker.js';
import { ReplicaPublisher } from './jobs/publish/replica-publisher.js';
import { RunningDigests } from './jobs/publish/running-digests.js';
import { MissingFiles } from './jobs/scrub/missing-files.js';
import { ScrubRecords } from './jobs/scrub/scrub-records.js';
import { Scrubber } from './jobs/scrub/scrubber.js';
import { VerifyPackageWorker } from './jobs/scrub/verify-package.worker.js';
import { Sources } from './jobs/sources/sources.js';
import { TransferReport } from './jobs/status/transfer-report.js';
import { WakeReplicasWorker } from './jobs/wake-replicas.worker.js';
import { DeleteWithdrawnWorker } from './jobs/withdrawn/delete-withdrawn.worker.js';
import { SweepWithdrawnWorker } from './jobs/withdrawn/sweep-withdrawn.worker.js';
import { EnqueueReplicaJobs } from './reactions/enqueue-replica-jobs.js';
import { KeepWithdrawnFiles } from './reactions/keep-withdrawn-files.js';
import { ReviewForOwnStage } from './reactions/review-for-own-stage.js';
import { ReviewReplicas } from './reactions/review-replicas.js';
import { WakeAfterPolicy } from './reactions/wake-after-policy.js';
import { ReplicationReadModule } from './replication-read.module.js';
import { ContactRecord } from './subscriber/contact-record.js';
import { Comparison } from './subscriber/comparison/comparison.js';
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
  DeleteWithdrawnHandler,
  HeldPackages,
  PlanVerificationHandler,
  ReportDamageHandler,
  VerifyPackageHandler,
];
const fetching = [
  ChunkDigests,
  RunningDigests,
  Sources,
  Delays,
  ChunkArrivals,
  ChunkFetch,
  RangeFetcher,
  ReplicaPublisher,
  TransferReport,
];
const jobs = [...fetching, FetchChunksWorker, PublishReplicaWorker, WakeReplicasWorker];
const withdrawn = [DeleteWithdrawnWorker, SweepWithdrawnWorker, KeepWithdrawnFiles];
const scrub = [ScrubRecords, VerifyPackageWorker, Scrubber, MissingFiles];
const feeds = [
  FeedSource,
  OpenFeeds,
  ReplicaNews,
  StagedContent,
  ServedPeers,
  UpToDate,
  FeedCursors,
  ItemHandler,
  Comparison,
  ContactRecord,
  FeedFollowers,
];
const reactions = [EnqueueReplicaJobs, ReviewReplicas, ReviewForOwnStage, WakeAfterPolicy];

/** What brings packages here from other servers, and lets others have ours, without what shows it. */
export const replicationProviders = [...commands, ...jobs, ...withdrawn, ...scrub, ...reactions, ...feeds];

/** Copies of packages between servers. `FeedFollowers.start` sets it going. */
@Module({
  imports: [ReplicationReadModule],
  controllers: [FeedController, PackageContentController, InventoryController],
  providers: [
    ...replicationProviders,
    ReplicasResolver,
    ReplicaSourcesResolver,
    PackageReplicasResolver,
    VerificationResolver,
  ],
  exports: [FeedFollowers, Scrubber, MissingFiles],
})
export class ReplicationModule {}
