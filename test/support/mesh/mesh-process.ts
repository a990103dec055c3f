import { HybridClock } from '../../../src/kernel/hybrid-clock.js';
import type { Stage } from '../../../src/kernel/stage.js';
import { LearnPackageHandler } from '../../../src/modules/packages/facts/package-reports.handler.js';
import {
  DeleteRemovedFile,
  DeleteRemovedFileHandler,
  DeleteRemovedFiles,
} from '../../../src/modules/packages/lifecycle/delete-removed-file.reaction.js';
import { PackageWriter } from '../../../src/modules/packages/lifecycle/package-writer.js';
import {
  RemovePackage,
  RemovePackageHandler,
  SetPackageStage,
  SetPackageStageHandler,
} from '../../../src/modules/packages/lifecycle/change-package.command.js';
import {
  type UploadedPackage,
  UploadPackage,
  UploadPackageHandler,
} from '../../../src/modules/packages/upload/upload-package.command.js';
import { FactRights } from '../../../src/modules/packages/facts/fact-rights.js';
import { FactSigner } from '../../../src/modules/packages/facts/fact-signer.js';
import { FactTrust } from '../../../src/modules/packages/facts/fact-trust.js';
import { LearnSigners, NoteSigning } from '../../../src/modules/peers/contracts/signers.js';
import {
  FilenameHoldersQuery,
  NamesakesQuery,
  PublishedFileQuery,
} from '../../../src/modules/packages/contracts/package-queries.js';
import { LearnPackage } from '../../../src/modules/packages/contracts/package-reports.js';
import {
  PlanFetch,
  PlanFetchHandler,
  PublishReplica,
  PublishReplicaHandler,
  RecordChunks,
  RecordChunksHandler,
  RecordDamage,
  RecordDamageHandler,
} from '../../../src/modules/replication/fetch/replica-progress.command.js';
import type { RefusedItems } from '../../../src/modules/replication/follow/refused-items.js';
import { ReplicaFiles } from '../../../src/modules/replication/replica/replica-files.js';
import {
  ReviewReplica,
  ReviewReplicaHandler,
} from '../../../src/modules/replication/replica/review-replica.command.js';
import { FeedSource } from '../../../src/modules/replication/serve/feed-source.js';
import { StagedContent } from '../../../src/modules/replication/serve/staged-content.js';
import { ServedPeers } from '../../../src/modules/replication/serve/served-peers.js';
import { NoPrincipals } from '../no-principals.js';
import { ScriptedQueue } from '../scripted-queue.js';
import { PackageContentController } from '../../../src/modules/replication/serve/package-content.controller.js';
import {
  ReviewForOwnStage,
  ReviewReplicas,
} from '../../../src/modules/replication/replica/review-replicas.reaction.js';
import { ItemHandler } from '../../../src/modules/replication/follow/item-handler.js';
import {
  DeleteWithdrawn,
  DeleteWithdrawnHandler,
} from '../../../src/modules/replication/replica/delete-withdrawn.command.js';
import { ReplicasToReviewQuery } from '../../../src/modules/replication/read-model/own-replicas.query.js';
import {
  RecordSuperseded,
  SupersedePackage,
  SupersedePackageHandler,
} from '../../../src/modules/packages/lifecycle/record-superseded.reaction.js';
import { SupersededPackagesQuery } from '../../../src/modules/packages/read-model/superseded-packages.query.js';
import { server } from '../../../src/modules/server/server.decider.js';
import type { Settings } from '../../../src/platform/runtime/settings.js';
import type { LiveViews } from '../../../src/platform/eventsourcing/live-views.js';
import type { ReadModels } from '../../../src/platform/eventsourcing/read-models.js';
import type { Reaction } from '../../../src/platform/eventsourcing/reaction.js';
import type { Clock } from '../../../src/platform/runtime/clock.js';
import { CommandRunner } from '../../../src/platform/eventsourcing/command-runner.js';
import { StreamReader } from '../../../src/platform/eventsourcing/stream-reader.js';
import type { PeerTransport } from '../../../src/ports/peer-transport.port.js';
import { MemoryLocks } from '../memory-locks.js';
import { StrictItemFailures, strictFailures } from '../strict-failures.js';
import { Life, type Gate } from './gate.js';
import type { KnownRights } from '../known-rights.js';
import { MemoryBus } from './memory-bus.js';
import { MeshDisk, type Content, type DiskContents } from './mesh-disk.js';
import { MeshSignerKeys } from './mesh-keys.js';
import { MeshIdentity } from './mesh-identity.js';
import { FilenameHoldersFromLog, SupersededFromLog, ToReviewFromLog } from './log-queries.js';
import { MeshLog, type LogFile } from './mesh-log.js';

/** So long the files of withdrawn replicas stay. */
export const GRACE_MS = 3_600_000;

/** What a run of the process finds in place. */
export interface Ground {
  readonly serverId: string;
  readonly file: LogFile;
  readonly disk: DiskContents;
  readonly gate: Gate;
  /** The server's own wall clock, ms. */
  readonly wall: () => number;
  readonly transport: Pick<PeerTransport, 'get'>;
  readonly rights: KnownRights;
  readonly refusals: RefusedItems;
}

/** One run of a server, put together from its real rules. All that it remembers is lost with it. */
export class MeshProcess {
  readonly life = new Life();
  readonly locks = new MemoryLocks();
  readonly bus = new MemoryBus();
  readonly identity: MeshIdentity;
  readonly storage: MeshDisk;
  readonly clock: Clock;
  readonly feed: FeedSource;
  readonly items: ItemHandler;
  readonly content: PackageContentController;
  readonly reactions: readonly Reaction[];
  private readonly runner: CommandRunner;
  private readonly streams: StreamReader;

  constructor({ serverId, file, disk, gate, wall, transport, rights, refusals }: Ground) {
    const store = new MeshLog(file, gate, this.life);
    this.identity = new MeshIdentity(serverId, file);
    this.storage = new MeshDisk(disk, gate, this.life);
    this.clock = { hybrid: new HybridClock(serverId, wall), now: () => new Date(wall()) };
    this.runner = new CommandRunner(store, this.identity);
    this.streams = new StreamReader(store);
    this.feed = new FeedSource(store, this.streams, new MeshSignerKeys(), strictFailures);
    // Only manifests are asked of it.
    const served = { requireCaller: async () => undefined } as unknown as ServedPeers;
    const staged = {} as unknown as StagedContent;
    this.content = new PackageContentController(
      store,
      this.streams,
      this.storage,
      served,
      new ScriptedQueue(),
      staged,
      this.bus.queries,
    );
    // It only fetches manifests.
    this.items = new ItemHandler(
      this.streams,
      this.bus.commands,
      transport as PeerTransport,
      this.identity,
      new StrictItemFailures(),
      refusals,
    );
    this.handlePackages(file, store, rights);
    this.handleReplicas(store);
    this.reactions = this.makeReactions(file);
  }

  upload(filename: string, content: Content, stage: Stage): Promise<UploadedPackage> {
    return this.bus.execute(
      new UploadPackage(filename, content, { stage, expected: {}, announcedSize: null, allowsEmpty: true }),
    );
  }

  async changeStage(stage: Stage): Promise<void> {
    const { serverId, name, url } = this.identity;
    await this.runner.run(server, undefined, { type: 'initialise', as: { serverId, name, url, stage, publicKey: '' } });
    await this.runner.run(server, undefined, { type: 'change', to: { stage } });
    this.identity.look();
  }

  private makeReactions(file: LogFile): Reaction[] {
    const { commands } = this.bus;
    const { queries } = new MemoryBus()
      .on(SupersededPackagesQuery, new SupersededFromLog(file, this.identity))
      .on(ReplicasToReviewQuery, new ToReviewFromLog(file));
    // What follows the log looks at it at once.
    const views = { reflect: async () => this.identity.look() } as unknown as LiveViews;
    const readModels = { reflect: async () => undefined } as unknown as ReadModels;
    return [
      new ReviewReplicas(commands),
      new ReviewForOwnStage(commands, queries, views, readModels),
      new RecordSuperseded(commands, queries, readModels),
      new DeleteRemovedFiles(commands),
    ];
  }

  private handlePackages(file: LogFile, store: MeshLog, known: KnownRights): void {
    const writer = new PackageWriter(this.runner);
    const signer = new FactSigner(this.identity);
    const trust = new FactTrust(new MeshSignerKeys(), this.identity, { acceptsUnsignedFacts: false } as Settings);
    const shown = { reflect: async () => undefined } as unknown as ReadModels;
    const rights = new FactRights(known, this.bus.queries, shown, store);
    const nothing = { execute: async () => undefined };
    const access = new NoPrincipals();
    this.bus
      // Every upload is published again, so that the registers are tried.
      .on(PublishedFileQuery, { execute: async () => null })
      .on(NamesakesQuery, { execute: async () => [] })
      .on(FilenameHoldersQuery, new FilenameHoldersFromLog(file))
      .on(
        UploadPackage,
        new UploadPackageHandler(this.storage, writer, this.bus.queries, this.identity, this.clock, access, signer),
      )
      .on(LearnPackage, new LearnPackageHandler(writer, this.clock, trust, rights, this.bus.commands))
      .on(NoteSigning, nothing)
      .on(LearnSigners, nothing)
      .on(SetPackageStage, new SetPackageStageHandler(writer, this.bus.queries, this.identity, this.clock, signer))
      .on(RemovePackage, new RemovePackageHandler(writer, this.bus.queries, this.clock, this.identity, signer))
      .on(SupersedePackage, new SupersedePackageHandler(writer))
      .on(DeleteRemovedFile, new DeleteRemovedFileHandler(writer, this.storage));
  }

  private handleReplicas(store: MeshLog): void {
    const files = new ReplicaFiles(this.streams, this.runner, this.storage, this.locks);
    this.bus
      .on(ReviewReplica, new ReviewReplicaHandler(store, this.streams, this.runner, this.identity, files))
      .on(
        DeleteWithdrawn,
        new DeleteWithdrawnHandler(this.streams, files, { withdrawnGraceMs: GRACE_MS } as Settings, this.clock),
      )
      .on(PlanFetch, new PlanFetchHandler(this.runner, this.identity))
      .on(RecordChunks, new RecordChunksHandler(this.runner, files))
      .on(RecordDamage, new RecordDamageHandler(this.runner, files))
      .on(PublishReplica, new PublishReplicaHandler(this.runner, files));
  }
}
