import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { ChunkRange } from '../../../kernel/chunk-ranges.js';
import { CommandRunner } from '../../../platform/eventsourcing/command-runner.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import type { PeerCopy } from '../contracts/replica.events.js';
import { ReplicaFiles } from '../replica/replica-files.js';
import { replica } from '../replica/replica.decider.js';

/** What is left to do for a pending replica. */
export interface FetchPlan {
  readonly packageId: string;
  readonly filename: string;
  readonly size: number;
  readonly sha256: string;
  readonly chunkCount: number;
  /** Goes with what is reported of this plan's chunks. */
  readonly round: number;
  readonly verified: readonly ChunkRange[];
  /** Peers that should have the package, the one it was asked of first. */
  readonly holders: readonly PlannedHolder[];
}

export interface PlannedHolder {
  readonly peerId: string;
  /** False when it fetches the package itself. */
  readonly whole: boolean;
  /** Does its copy come through us? Then it hardly has what we lack. */
  readonly downstream: boolean;
}

/** What a worker needs to go on with a replica; null when it is not pending. Changes nothing. */
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

/** A run of chunks came in from a peer. */
interface Arrival {
  readonly packageId: string;
  readonly round: number;
  readonly from: { readonly peerId: string; readonly peerName: string };
  readonly verified: readonly ChunkRange[];
  readonly rejected: readonly RejectedChunk[];
}

/** Record which chunks arrived and were verified or rejected; gives all runs that are verified now. */
export class RecordChunks extends Command<readonly ChunkRange[]> {
  constructor(readonly arrival: Arrival) {
    super();
  }
}

/** Note why a pending replica does not get on. Repeating the same cause changes nothing. */
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

/** The whole file is verified and at its place. */
export class PublishReplica extends Command<void> {
  constructor(readonly packageId: string) {
    super();
  }
}

/** What the last check of a staged file found instead of the package. */
interface Damage {
  readonly packageId: string;
  readonly round: number;
  /** SHA-256 of the whole file, in lower-case hex. */
  readonly actual: string;
  /** Chunks that are not, or no longer, what was verified. */
  readonly lost: readonly ChunkRange[];
}

/**
 * Record that all chunks of a replica were verified and its file is not the package. Lost chunks are fetched again,
 * once a request; otherwise the replica fails. Gives whether it has failed now.
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
    // It was withdrawn, or uploaded here, just before its file was reserved for these chunks.
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
    // It was withdrawn while its file was put in place.
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
    // What was damaged is a file that was reserved anew after the withdrawal.
    if (state.status === 'withdrawn') await this.files.discardReplicaFile(packageId);
    return events.some(({ type }) => type === 'ReplicaFailed');
  }
}
