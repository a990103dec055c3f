import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { ChunkRange } from '../../../../kernel/runs.js';
import { CommandRunner } from '../../../../platform/cqrs/command-runner.js';
import { ServerIdentity } from '../../../../ports/server-identity.port.js';
import type { PeerCopy } from '../../contracts/lineage.js';
import { replica } from '../../domain/replica.decider.js';
import { ReplicaFiles } from '../replica-files.js';
import { DelayReplica } from './delay-replica.command.js';
import { PlanFetch, type FetchPlan, type PlannedHolder } from './plan-fetch.command.js';
import { PublishReplica } from './publish-replica.command.js';
import { RecordChunks } from './record-chunks.command.js';
import { RecordDamage } from './record-damage.command.js';

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
