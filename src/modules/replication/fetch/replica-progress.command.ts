import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { ChunkRange } from '../../../kernel/chunk-ranges.js';
import { CommandRunner } from '../../../platform/eventsourcing/command-runner.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import type { PeerCopy } from '../contracts/replica.events.js';
import { ReplicaFiles } from '../replica/replica-files.js';
import { replica } from '../replica/replica.decider.js';

/** The missing part of a pending replica, and the peers that have it. */
export interface FetchPlan {
  readonly packageId: string;
  readonly filename: string;
  readonly size: number;
  readonly sha256: string;
  readonly chunkCount: number;
  /** Counts requests and losses. Reports about chunks name it, so that a report for an earlier file has no effect. */
  readonly round: number;
  readonly verified: readonly ChunkRange[];
  /** Peers that should have the package. The peer of the request comes first. */
  readonly holders: readonly PlannedHolder[];
}

export interface PlannedHolder {
  readonly peerId: string;
  /** True when the peer has the whole package. False while it fetches the package itself. */
  readonly whole: boolean;
  /** True when its copy comes through this server. Then it hardly has what we lack. */
  readonly downstream: boolean;
}

/** Gives what a worker needs to go on with a replica; null when the replica is not pending. Changes nothing. */
export class PlanFetch extends Command<FetchPlan | null> {
  constructor(readonly packageId: string) {
    super();
  }
}

interface RejectedChunk {
  readonly index: number;
  /** SHA-256 in lower-case hex. */
  readonly expected: string;
  readonly actual: string;
}

/** Chunks of one range that a peer has delivered. */
interface Arrival {
  readonly packageId: string;
  readonly round: number;
  readonly from: { readonly peerId: string; readonly peerName: string };
  readonly verified: readonly ChunkRange[];
  readonly rejected: readonly RejectedChunk[];
}

/** Records which chunks arrived and were verified or rejected. Gives all verified ranges of the replica. */
export class RecordChunks extends Command<readonly ChunkRange[]> {
  constructor(readonly arrival: Arrival) {
    super();
  }
}

/** Records why a pending replica does not progress. Repeating the same cause changes nothing. */
export class DelayReplica extends Command<void> {
  constructor(
    readonly packageId: string,
    readonly code: string,
    readonly reason: string,
    readonly fromPeerId: string | null,
  ) {
    super();
  }
}

/** Records that the whole file is verified and published. */
export class PublishReplica extends Command<void> {
  constructor(readonly packageId: string) {
    super();
  }
}

/** The damage that the check of a complete staged file has found. */
interface Damage {
  readonly packageId: string;
  readonly round: number;
  /** SHA-256 of the whole file, in lower-case hex. */
  readonly actual: string;
  /** The chunks that were verified and no longer match their digests. */
  readonly lost: readonly ChunkRange[];
}

/**
 * Records that all chunks of a replica were verified and that its file is not the package. Lost chunks are fetched again
 * once for each request; otherwise the replica fails. Gives whether it has failed now.
 */
export class RecordDamage extends Command<boolean> {
  constructor(readonly damage: Damage) {
    super();
  }
}

@CommandHandler(PlanFetch)
export class PlanFetchHandler implements ICommandHandler<PlanFetch> {
  constructor(
    private readonly runner: CommandRunner,
    private readonly identity: ServerIdentity,
  ) {}

  async execute({ packageId }: PlanFetch): Promise<FetchPlan | null> {
    const { status, content, round, verified, fromPeerId, holders } = await this.runner.load(replica, packageId);
    if (status !== 'pending' || !content) return null;
    const asked = fromPeerId === null ? [] : [fromPeerId];
    const peers = [...new Set([...asked, ...holders.keys()])];
    return {
      ...content,
      round,
      verified,
      holders: peers.map((peerId) => this.toPlannedHolder(peerId, holders.get(peerId))),
    };
  }

  private toPlannedHolder(peerId: string, copy: PeerCopy | undefined): PlannedHolder {
    const downstream = copy?.lineage.some(({ serverId }) => serverId === this.identity.serverId) ?? false;
    return { peerId, whole: (copy?.verifiedAt ?? null) !== null, downstream };
  }
}

@CommandHandler(RecordChunks)
export class RecordChunksHandler implements ICommandHandler<RecordChunks> {
  constructor(
    private readonly runner: CommandRunner,
    private readonly files: ReplicaFiles,
  ) {}

  async execute({ arrival }: RecordChunks): Promise<readonly ChunkRange[]> {
    const { packageId, ...rest } = arrival;
    const { state } = await this.runner.run(replica, packageId, { kind: 'recordChunks', ...rest });
    // The replica was withdrawn, or the package uploaded here, just before the file for these chunks was reserved.
    if (state.status === 'withdrawn' || state.status === 'published') await this.files.discardReplicaFile(packageId);
    return state.verified;
  }
}

@CommandHandler(DelayReplica)
export class DelayReplicaHandler implements ICommandHandler<DelayReplica> {
  constructor(private readonly runner: CommandRunner) {}

  async execute({ packageId, code, reason, fromPeerId }: DelayReplica): Promise<void> {
    await this.runner.run(replica, packageId, { kind: 'delay', code, reason, fromPeerId });
  }
}

@CommandHandler(PublishReplica)
export class PublishReplicaHandler implements ICommandHandler<PublishReplica> {
  constructor(
    private readonly runner: CommandRunner,
    private readonly files: ReplicaFiles,
  ) {}

  async execute({ packageId }: PublishReplica): Promise<void> {
    const { state } = await this.runner.run(replica, packageId, { kind: 'publish' });
    // The replica was withdrawn while its file was published.
    if (state.status === 'withdrawn') await this.files.removeUnwanted(packageId);
  }
}

@CommandHandler(RecordDamage)
export class RecordDamageHandler implements ICommandHandler<RecordDamage> {
  constructor(
    private readonly runner: CommandRunner,
    private readonly files: ReplicaFiles,
  ) {}

  async execute({ damage }: RecordDamage): Promise<boolean> {
    const { packageId, ...rest } = damage;
    const { events, state } = await this.runner.run(replica, packageId, { kind: 'damage', ...rest });
    // The damaged file was reserved again after the withdrawal.
    if (state.status === 'withdrawn') await this.files.discardReplicaFile(packageId);
    return events.some(({ type }) => type === 'ReplicaFailed');
  }
}
