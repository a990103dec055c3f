import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { takesStage } from '../../../kernel/stage.js';
import { CommandRunner } from '../../../platform/eventsourcing/command-runner.js';
import { StreamReader } from '../../../platform/eventsourcing/stream-reader.js';
import { EventStore } from '../../../ports/event-store.port.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import { knownPackage, type KnownPackage } from '../../packages/contracts/known-package.js';
import { isRemoved, type PackageFacts } from '../../packages/contracts/package-facts.js';
import type { PeerCopy } from '../contracts/replica.events.js';
import { ReplicaFiles } from './replica-files.js';
import type { ReportHolder } from './replica.commands.js';
import { replica } from './replica.decider.js';
import { type ReplicaContent, replicaHistory, type ReplicaState } from './replica.state.js';

/** A peer says that it holds the package or fetches it; that it has no copy when null. */
interface PeerReport {
  readonly peerId: string;
  readonly peerName: string;
  readonly copy: PeerCopy | null;
  /** Has it a copy, and does it not know yet what we know of the package? */
  readonly isOutdated: boolean;
}

/**
 * Make this server's copy of a package what it should be now: ask for one, withdraw it, or leave it. To be repeated
 * after anything that may matter; a repeat changes nothing.
 */
export class ReviewReplica extends Command<void> {
  constructor(
    readonly packageId: string,
    readonly report: PeerReport | null = null,
  ) {
    super();
  }
}

@CommandHandler(ReviewReplica)
export class ReviewReplicaHandler implements ICommandHandler<ReviewReplica> {
  private readonly packages;
  private readonly histories;

  constructor(
    private readonly store: EventStore,
    private readonly runner: CommandRunner,
    private readonly identity: ServerIdentity,
    private readonly files: ReplicaFiles,
  ) {
    this.packages = new StreamReader(store, knownPackage);
    this.histories = new StreamReader(store, replicaHistory);
  }

  async execute({ packageId, report }: ReviewReplica): Promise<void> {
    const known = await this.packages.load(packageId);
    const { facts, uploadedAt } = known;
    if (!facts) return;
    if (report?.isOutdated) await this.runner.run(replica, packageId, outdatedCommand(packageId, report));
    const wanted = !isRemoved(facts) && takesStage(this.identity.stage, facts.stage);
    if (!wanted) return this.withdrawCopy(facts, report, known);
    // What was uploaded here is here: a copy from elsewhere adds nothing.
    await this.catchUpWithRemoval(facts, known);
    await this.requestCopy(facts, report, uploadedAt === null);
  }

  /**
   * A removal ends every copy, and a publication may have followed it so soon that nobody saw to that: the copy that was
   * asked for before the removal is over, whether or not its file was deleted.
   */
  private async catchUpWithRemoval({ packageId }: PackageFacts, { removedCursor }: KnownPackage): Promise<void> {
    if (removedCursor === null) return;
    const { status } = await this.runner.load(replica, packageId);
    if (status === 'none' || status === 'withdrawn') return;
    const { requestedCursor } = await this.histories.load(packageId);
    const isOver = this.store.compareCursors(requestedCursor, removedCursor) < 0;
    if (!isOver && (status !== 'published' || (await this.files.hasFile(packageId)))) return;
    await this.runner.run(replica, packageId, { kind: 'withdraw', reason: 'removed' });
    await this.files.discardReplicaFile(packageId);
  }

  private async requestCopy(facts: PackageFacts, report: PeerReport | null, missing: boolean): Promise<void> {
    const news = toReport(facts, report);
    if (missing) await this.adoptWithdrawn(facts);
    if (news && news.copy !== null && missing) {
      await this.runner.run(replica, facts.packageId, { kind: 'announce', report: news, content: toContent(facts) });
      return;
    }
    const state = await this.recordReport(facts, news);
    if (!missing) return this.recordUpload(facts, state);
    const [fromPeerId] = state.holders.keys();
    if (fromPeerId === undefined) return;
    await this.runner.run(replica, facts.packageId, { kind: 'request', content: toContent(facts), fromPeerId });
  }

  /** Within the grace time after a withdrawal its file is still there: nothing has to be fetched. */
  private async adoptWithdrawn(facts: PackageFacts): Promise<void> {
    const { packageId, sha256 } = facts;
    if ((await this.runner.load(replica, packageId)).status !== 'withdrawn') return;
    await this.files.adoptFile(packageId, sha256, () =>
      this.runner.run(replica, packageId, { kind: 'adopt', content: toContent(facts) }),
    );
  }

  /** An upload here also ends what was on its way from elsewhere, or could not be fetched. */
  private async recordUpload({ packageId }: PackageFacts, { status }: ReplicaState): Promise<void> {
    if (status !== 'pending' && status !== 'failed') return;
    await this.runner.run(replica, packageId, { kind: 'arrive' });
    await this.files.discardReplicaFile(packageId);
  }

  private async withdrawCopy(
    facts: PackageFacts,
    report: PeerReport | null,
    { uploadedAt, removedCursor }: KnownPackage,
  ): Promise<void> {
    const state = await this.recordReport(facts, toReport(facts, report));
    // The stage says who gets a copy. Bytes that were uploaded here may be the only ones there are.
    // Only what is on its way ends then.
    if (uploadedAt !== null && state.status !== 'pending' && state.status !== 'failed') return;
    if (state.content === null) return removedCursor === null ? undefined : this.dropRemoved(facts);
    const reason = isRemoved(facts) ? 'removed' : 'stage';
    const { events } = await this.runner.run(replica, facts.packageId, { kind: 'withdraw', reason });
    if (events.length === 0) return;
    await (reason === 'stage'
      ? this.files.discardReplicaFile(facts.packageId)
      : this.files.removeUnwanted(facts.packageId));
  }

  /** The file of an upload that was removed, when a publication elsewhere followed before it was deleted. */
  private async dropRemoved(facts: PackageFacts): Promise<void> {
    if (!isRemoved(facts) && (await this.files.hasFile(facts.packageId)))
      await this.files.removeUnwanted(facts.packageId);
  }

  private async recordReport({ packageId }: PackageFacts, news: ReportHolder | null): Promise<ReplicaState> {
    if (!news) return this.runner.load(replica, packageId);
    return (await this.runner.run(replica, packageId, news)).state;
  }
}

function toContent({ packageId, filename, size, sha256, chunkCount }: PackageFacts): ReplicaContent {
  return { packageId, filename, size, sha256, chunkCount };
}

const outdatedCommand = (packageId: string, { peerId, peerName }: PeerReport) =>
  ({ kind: 'outdated', packageId, holder: { peerId, peerName } }) as const;

function toReport({ packageId }: PackageFacts, report: PeerReport | null): ReportHolder | null {
  if (!report) return null;
  const { peerId, peerName, copy } = report;
  return { kind: 'report', packageId, holder: { peerId, peerName }, copy };
}
