import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import {
  LineageSignatureResolver,
  PackageReplicasResolver,
  ReplicaPackageResolver,
} from './api/package-replicas.resolver.js';
import { PeerReplicationResolver } from './api/peer-replication.resolver.js';
import { ReplicaSourcesResolver } from './api/replica-sources.resolver.js';
import { ReplicasResolver } from './api/replicas.resolver.js';
import { UnclaimedFilesResolver } from './api/unclaimed-files.resolver.js';
import { WhyNotResolver } from './api/why-not.resolver.js';
import { WhyNotHandler, WhyNotHereHandler } from './read-model/why-not.query.js';
import { VerificationResolver } from './api/verification.resolver.js';
import { ChunkArrivals, ChunkFetch, RangeFetcher } from './fetch/chunk-fetch.js';
import { Delays } from './fetch/delays.js';
import { EnqueueReplicaJobs } from './fetch/enqueue-replica-jobs.reaction.js';
import { FetchChunksWorker } from './fetch/fetch-chunks.job.js';
import { ChunkDigests, RunningDigests } from './fetch/package-digests.js';
import { PublishReplicaWorker, ReplicaPublisher } from './fetch/publish-replica.job.js';
import {
  DelayReplicaHandler,
  PlanFetchHandler,
  PublishReplicaHandler,
  RecordChunksHandler,
  RecordDamageHandler,
} from './fetch/replica-progress.command.js';
import { Sources } from './fetch/sources.js';
import { TransferReport } from './fetch/transfer-report.js';
import { WakeAfterPolicy, WakeReplicasWorker } from './fetch/wake-replicas.job.js';
import { Comparison } from './follow/comparison.js';
import { FeedFollowers } from './follow/feed-followers.js';
import { ContactRecord, FeedCursors, ItemFailures, PeerStages, RecordedItemFailures } from './follow/follow-records.js';
import { DifferencesHandler, InventoryEntriesHandler, InventoryHandler } from './read-model/inventory.query.js';
import { RefusalCountsHandler, RefusedPackagesHandler, RefusingPeersHandler } from './read-model/refused.query.js';
import { ItemHandler } from './follow/item-handler.js';
import { JudgeAgainAfterRights, RecordedRefusals, RefusedItems } from './follow/refused-items.js';
import {
  PeerComparisonsHandler,
  PeerContactsHandler,
  PeerStagesHandler,
  SourcesHandler,
} from './read-model/replication-status.query.js';
import { MissingFiles, ReturnedFiles } from './integrity/missing-files.js';
import { RecoverReplicaHandler } from './integrity/recover-replica.command.js';
import { ScrubRecords } from './integrity/scrub-records.js';
import {
  AwaitedIdsHandler,
  DuePackagesHandler,
  HeldIdsHandler,
  LastVerifiedHandler,
  ScrubHandler,
} from './integrity/scrub.query.js';
import { Scrubber } from './integrity/scrubber.js';
import { DeleteUnclaimedFilesHandler, UnclaimedFilesHandler } from './integrity/unclaimed-files.command.js';
import { ExpireUnclaimedFiles, UnclaimedFilesProblem } from './integrity/unclaimed-files.js';
import {
  HeldPackages,
  PlanVerificationHandler,
  ReportDamageHandler,
  VerifyPackageHandler,
} from './integrity/verify-package.command.js';
import { VerifyPackageWorker } from './integrity/verify-package.job.js';
import { DeleteWithdrawnHandler } from './replica/delete-withdrawn.command.js';
import { DeleteWithdrawnWorker, KeepWithdrawnFiles, SweepWithdrawnWorker } from './replica/delete-withdrawn.job.js';
import {
  ReplicasToReviewHandler,
  UnfinishedReplicasHandler,
  WithdrawnReplicasHandler,
} from './read-model/own-replicas.query.js';
import { ReplicaFiles } from './replica/replica-files.js';
import { ReplicaEntity, ReplicaPackageEntity, ReplicaServerEntity } from './read-model/replica.entity.js';
import { ReplicasProjection } from './read-model/replicas.projection.js';
import { ReplicasHandler } from './read-model/replicas.query.js';
import { RetryReplicaHandler } from './replica/retry-replica.command.js';
import { ReviewReplicaHandler } from './replica/review-replica.command.js';
import { ReviewForOwnStage, ReviewReplicas } from './replica/review-replicas.reaction.js';
import { FeedSource } from './serve/feed-source.js';
import { FeedController, OpenFeeds } from './serve/feed.controller.js';
import { InventoryController, UpToDate } from './serve/inventory.controller.js';
import { PackageContentController } from './serve/package-content.controller.js';
import { ReplicaNews } from './serve/replica-news.js';
import { ServedPeers } from './serve/served-peers.js';
import { StagedContent } from './serve/staged-content.js';
import './replication.declarations.js';

const replicaEntities = [ReplicaEntity, ReplicaPackageEntity, ReplicaServerEntity];

const withdrawnQueries = [WithdrawnReplicasHandler, ReplicasToReviewHandler];
const scrubQueries = [AwaitedIdsHandler, DuePackagesHandler, HeldIdsHandler, LastVerifiedHandler, ScrubHandler];
const inventoryQueries = [InventoryHandler, InventoryEntriesHandler, DifferencesHandler, PeerComparisonsHandler];

const refusedQueries = [RefusedPackagesHandler, RefusalCountsHandler, RefusingPeersHandler];
const statusQueries = [PeerContactsHandler, PeerStagesHandler, SourcesHandler];

/** The read model of replicas and its queries. */
@Module({
  imports: [TypeOrmModule.forFeature(replicaEntities)],
  providers: [
    ReplicasProjection,
    ReplicasHandler,
    UnfinishedReplicasHandler,
    ...withdrawnQueries,
    ...scrubQueries,
    ...inventoryQueries,
    ...refusedQueries,
    ...statusQueries,
  ],
})
export class ReplicationReadModule {}

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
  RecoverReplicaHandler,
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
const unclaimed = [UnclaimedFilesHandler, DeleteUnclaimedFilesHandler, ExpireUnclaimedFiles, UnclaimedFilesProblem];
const scrub = [...unclaimed, ScrubRecords, VerifyPackageWorker, Scrubber, ReturnedFiles, MissingFiles];
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
  PeerStages,
  { provide: ItemFailures, useClass: RecordedItemFailures },
  RecordedRefusals,
  { provide: RefusedItems, useExisting: RecordedRefusals },
  FeedFollowers,
];
const reactions = [JudgeAgainAfterRights, EnqueueReplicaJobs, ReviewReplicas, ReviewForOwnStage, WakeAfterPolicy];

/** Fetches packages from peers and serves ours to them. */
const replicationProviders = [...commands, ...jobs, ...withdrawn, ...scrub, ...reactions, ...feeds];

/** Copies packages between servers. */
@Module({
  imports: [ReplicationReadModule],
  controllers: [FeedController, PackageContentController, InventoryController],
  providers: [
    ...replicationProviders,
    ReplicasResolver,
    ReplicaSourcesResolver,
    PackageReplicasResolver,
    ReplicaPackageResolver,
    LineageSignatureResolver,
    UnclaimedFilesResolver,
    VerificationResolver,
    PeerReplicationResolver,
    WhyNotHandler,
    WhyNotHereHandler,
    WhyNotResolver,
  ],
})
export class ReplicationModule {}
