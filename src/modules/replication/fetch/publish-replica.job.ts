import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { z } from 'zod';
import { countChunks } from '../../../kernel/chunk-ranges.js';
import { AsJobHandler } from '../../../platform/jobs/job-runner.js';
import type { JobHandler, NewJob, RunningJob } from '../../../ports/job-queue.port.js';
import { Locks } from '../../../ports/locks.port.js';
import { PackageStorage, type ReplicaFile } from '../../../ports/package-storage.port.js';
import { Delays } from './delays.js';
import { ChunkDigests, RunningDigests } from './package-digests.js';
import { type FetchPlan, PlanFetch, PublishReplica, RecordDamage } from './replica-progress.command.js';

/** Runs before any fetch: a complete package is served first, and the disk space that it needs is settled. */
const PUBLISH_PRIORITY = 50;

const PUBLISH_REPLICA = 'publish-replica';

const PublishReplicaData = z.object({ packageId: z.string() });

/** A job that checks the whole file of a replica and publishes it. */
export const publishReplicaJob = (packageId: string): NewJob => ({
  name: PUBLISH_REPLICA,
  key: `publish:${packageId}`,
  data: { packageId },
  priority: PUBLISH_PRIORITY,
});

/** Checks the whole file of a replica and publishes it. */
@Injectable()
export class ReplicaPublisher {
  constructor(
    private readonly commands: CommandBus,
    private readonly storage: PackageStorage,
    private readonly digests: RunningDigests,
    private readonly chunkDigests: ChunkDigests,
    private readonly delays: Delays,
    private readonly locks: Locks,
  ) {}

  /**
   * Publishes the replica if all its chunks are verified; does nothing while chunks are missing. Publications of one
   * package wait for each other in all processes of the server, since a second one may belong to a later request.
   */
  async publishReplica(packageId: string, signal: AbortSignal): Promise<void> {
    await this.locks.hold(`publish ${packageId}`, () => this.publishIfComplete(packageId), { signal });
    signal.throwIfAborted();
  }

  private async publishIfComplete(packageId: string): Promise<void> {
    const plan = await this.commands.execute(new PlanFetch(packageId));
    if (!plan || countChunks(plan.verified) < plan.chunkCount) return;
    const isInPlace = await this.isInPlace(plan);
    // The replica's file beside the published one would be left behind.
    if (isInPlace) await this.storage.discardReplica(packageId);
    const published = isInPlace || (await this.delays.runNotingDelay(plan, () => this.putInPlace(plan)));
    if (published) await this.commands.execute(new PublishReplica(packageId));
  }

  /**
   * True when the published file is the package. A crash or a withdrawal may have come between the rename and the event.
   * After a withdrawal the renamed file may belong to the next request, so its size alone proves nothing.
   */
  private async isInPlace({ packageId, sha256 }: FetchPlan): Promise<boolean> {
    return (await this.storage.digestStored(packageId)) === sha256;
  }

  private async putInPlace(plan: FetchPlan): Promise<boolean> {
    const file = await this.storage.reserveReplica(plan.packageId, plan.size);
    const actual = await this.digests.finish(plan, file);
    if (actual === plan.sha256) await file.publish();
    else await this.recordDamage(plan, file, actual);
    return actual === plan.sha256;
  }

  /** Finds out which verified chunks are damaged, as after a power cut that came before they reached the disk. */
  private async recordDamage(
    { packageId, round, chunkCount }: FetchPlan,
    file: ReplicaFile,
    actual: string,
  ): Promise<void> {
    const lost = await file.findDamagedChunks(await this.chunkDigests.digestsOf(packageId, chunkCount, 0, chunkCount));
    const failed = await this.commands.execute(new RecordDamage({ packageId, round, actual, lost }));
    if (failed) await this.storage.discardReplica(packageId);
  }
}

/** Publishes replicas that have nothing to fetch. Other replicas are published by the job that fetched their last chunk. */
@AsJobHandler()
@Injectable()
export class PublishReplicaWorker implements JobHandler {
  readonly name = PUBLISH_REPLICA;
  readonly maxAttempts = 30_000;

  constructor(private readonly publisher: ReplicaPublisher) {}

  handle({ data, signal }: RunningJob): Promise<void> {
    return this.publisher.publishReplica(PublishReplicaData.parse(data).packageId, signal);
  }
}
