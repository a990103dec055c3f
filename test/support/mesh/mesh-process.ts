import { HybridClock } from '../../../src/kernel/hybrid-clock.js';
import type { Stage } from '../../../src/kernel/stage.js';
import { LearnPackageHandler } from '../../../src/modules/packages/commands/learn-package.handler.js';
import { DeleteRemovedFile } from '../../../src/modules/packages/commands/files/delete-removed-file.command.js';
import { DeleteRemovedFileHandler } from '../../../src/modules/packages/commands/files/delete-removed-file.handler.js';
import { PackageWriter } from '../../../src/modules/packages/commands/package-writer.js';
import { RemovePackage } from '../../../src/modules/packages/commands/remove-package.command.js';
import { RemovePackageHandler } from '../../../src/modules/packages/commands/remove-package.handler.js';
import { SetPackageStage } from '../../../src/modules/packages/commands/set-package-stage.command.js';
import { SetPackageStageHandler } from '../../../src/modules/packages/commands/set-package-stage.handler.js';
import {
  UploadPackage,
  type UploadedPackage,
} from '../../../src/modules/packages/commands/upload/upload-package.command.js';
import { UploadPackageHandler } from '../../../src/modules/packages/commands/upload/upload-package.handler.js';
import { LearnPackage } from '../../../src/modules/packages/contracts/learn-package.js';
import { DeleteRemovedFiles } from '../../../src/modules/packages/reactions/on-package-removed.js';
import { PlanFetch } from '../../../src/modules/replication/commands/progress/plan-fetch.command.js';
import {
  PlanFetchHandler,
  PublishReplicaHandler,
  RecordChunksHandler,
  RecordDamageHandler,
} from '../../../src/modules/replication/commands/progress/progress.handlers.js';
import { PublishReplica } from '../../../src/modules/replication/commands/progress/publish-replica.command.js';
import { RecordChunks } from '../../../src/modules/replication/commands/progress/record-chunks.command.js';
import { RecordDamage } from '../../../src/modules/replication/commands/progress/record-damage.command.js';
import { ReplicaFiles } from '../../../src/modules/replication/commands/replica-files.js';
import { ReviewReplica } from '../../../src/modules/replication/commands/review-replica.command.js';
import { ReviewReplicaHandler } from '../../../src/modules/replication/commands/review-replica.handler.js';
import { FeedSource } from '../../../src/modules/replication/feed/feed-source.js';
import { StagedContent } from '../../../src/modules/replication/feed/staged/staged-content.js';
import { ServedPeers } from '../../../src/modules/replication/feed/served-peers.js';
import { NoPrincipals } from '../no-principals.js';
import { ScriptedQueue } from '../scripted-queue.js';
import { PackageContentController } from '../../../src/modules/replication/feed/package-content.controller.js';
import { ReviewReplicas } from '../../../src/modules/replication/reactions/review-replicas.js';
import { ItemHandler } from '../../../src/modules/replication/subscriber/item-handler.js';
import { DeleteWithdrawn } from '../../../src/modules/replication/commands/withdrawn/delete-withdrawn.command.js';
import { DeleteWithdrawnHandler } from '../../../src/modules/replication/commands/withdrawn/delete-withdrawn.handler.js';
import { ReplicasToReviewQuery } from '../../../src/modules/replication/contracts/replicas-to-review.query.js';
import { ReviewForOwnStage } from '../../../src/modules/replication/reactions/review-for-own-stage.js';
import { SupersedePackage } from '../../../src/modules/packages/commands/supersede/supersede-package.command.js';
import { SupersedePackageHandler } from '../../../src/modules/packages/commands/supersede/supersede-package.handler.js';
import { SupersededPackagesQuery } from '../../../src/modules/packages/contracts/superseded-packages.query.js';
import { RecordSuperseded } from '../../../src/modules/packages/reactions/record-superseded.js';
import { server } from '../../../src/modules/server/domain/server.decider.js';
import type { Settings } from '../../../src/platform/config/settings.js';
import type { LiveViews } from '../../../src/platform/live-view/live-views.js';
import type { ReadModels } from '../../../src/platform/projections/read-models.js';
import type { Reaction } from '../../../src/platform/reactions/reaction.js';
import type { Clock } from '../../../src/platform/clock/clock.js';
import { CommandRunner } from '../../../src/platform/cqrs/command-runner.js';
import type { PeerTransport } from '../../../src/ports/peer-transport.port.js';
import { MemoryLocks } from '../memory-locks.js';
import { Life, type Gate } from './gate.js';
import { MemoryBus } from './memory-bus.js';
import { MeshDisk, type Content, type DiskContents } from './mesh-disk.js';
import { MeshIdentity } from './mesh-identity.js';
import { SupersededFromLog, ToReviewFromLog } from './log-queries.js';
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

  constructor({ serverId, file, disk, gate, wall, transport }: Ground) {
    const store = new MeshLog(file, gate, this.life);
    this.identity = new MeshIdentity(serverId, file);
    this.storage = new MeshDisk(disk, gate, this.life);
    this.clock = { hybrid: new HybridClock(serverId, wall), now: () => new Date(wall()) };
    this.runner = new CommandRunner(store, this.identity);
    this.feed = new FeedSource(store);
    // Only manifests are asked of it.
    const served = { caller: async () => undefined } as unknown as ServedPeers;
    const staged = {} as unknown as StagedContent;
    this.content = new PackageContentController(store, this.storage, served, new ScriptedQueue(), staged);
    // It only fetches manifests.
    this.items = new ItemHandler(store, this.bus.commands, transport as PeerTransport, this.identity);
    this.handlePackages();
    this.handleReplicas(store);
    this.reactions = this.makeReactions(file);
  }

  upload(filename: string, content: Content, stage: Stage): Promise<UploadedPackage> {
    return this.bus.execute(new UploadPackage(filename, content, { stage, expected: {}, announcedSize: null }));
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

  private handlePackages(): void {
    const writer = new PackageWriter(this.runner, this.clock);
    this.bus
      .on(UploadPackage, new UploadPackageHandler(this.storage, writer, this.identity, this.clock, new NoPrincipals()))
      .on(LearnPackage, new LearnPackageHandler(writer, this.clock))
      .on(SetPackageStage, new SetPackageStageHandler(writer, this.clock))
      .on(RemovePackage, new RemovePackageHandler(writer, this.clock, this.identity))
      .on(SupersedePackage, new SupersedePackageHandler(writer))
      .on(DeleteRemovedFile, new DeleteRemovedFileHandler(writer, this.storage));
  }

  private handleReplicas(store: MeshLog): void {
    const files = new ReplicaFiles(store, this.runner, this.storage, this.locks);
    this.bus
      .on(ReviewReplica, new ReviewReplicaHandler(store, this.runner, this.identity, files))
      .on(
        DeleteWithdrawn,
        new DeleteWithdrawnHandler(store, files, { withdrawnGraceMs: GRACE_MS } as Settings, this.clock),
      )
      .on(PlanFetch, new PlanFetchHandler(this.runner, this.identity))
      .on(RecordChunks, new RecordChunksHandler(this.runner, files))
      .on(RecordDamage, new RecordDamageHandler(this.runner, files))
      .on(PublishReplica, new PublishReplicaHandler(this.runner, files));
  }
}
