import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { countOf } from '../../../../kernel/runs.js';
import { AsJobHandler } from '../../../../platform/jobs/job-handlers.js';
import type { JobHandler, RunningJob } from '../../../../ports/job-queue.port.js';
import { PackageStorage } from '../../../../ports/package-storage.port.js';
import { FailReplica } from '../../commands/progress/fail-replica.command.js';
import { PlanFetch, type FetchPlan } from '../../commands/progress/plan-fetch.command.js';
import { PublishReplica } from '../../commands/progress/publish-replica.command.js';
import { Delays } from '../delays.js';
import { PUBLISH_REPLICA, PublishReplicaData } from './publish-replica.job.js';
import { RunningDigests } from './running-digests.js';

/** The last check of a replica, over the whole file, and its publication. */
@AsJobHandler()
@Injectable()
export class PublishReplicaWorker implements JobHandler {
  readonly name = PUBLISH_REPLICA;
  readonly maxAttempts = 30_000;
  private readonly underWay = new Map<string, Promise<void>>();

  constructor(
    private readonly commands: CommandBus,
    private readonly storage: PackageStorage,
    private readonly digests: RunningDigests,
    private readonly delays: Delays,
  ) {}

  /** The jobs of one replica take turns: one that comes meanwhile may be for a later request of the same package. */
  async handle(job: RunningJob): Promise<void> {
    const { packageId } = PublishReplicaData.parse(job.data);
    const turn = () => this.work(packageId);
    const work = (this.underWay.get(packageId) ?? Promise.resolve()).then(turn, turn);
    this.underWay.set(packageId, work);
    try {
      await work;
    } finally {
      if (this.underWay.get(packageId) === work) this.underWay.delete(packageId);
    }
  }

  private async work(packageId: string): Promise<void> {
    const plan = await this.commands.execute(new PlanFetch(packageId));
    if (!plan || countOf(plan.verified) < plan.chunkCount) return;
    const published = (await this.isInPlace(plan)) || (await this.delays.noting(plan, () => this.putInPlace(plan)));
    if (published) await this.commands.execute(new PublishReplica(packageId));
  }

  /**
   * A crash, or a withdrawal, may have come between the rename and the event. In the latter case the file that was
   * renamed may have been begun for the next request, so its size alone proves nothing.
   */
  private async isInPlace({ packageId, sha256 }: FetchPlan): Promise<boolean> {
    return (await this.storage.digestPublished(packageId)) === sha256;
  }

  private async putInPlace(plan: FetchPlan): Promise<boolean> {
    const { packageId, filename, size, sha256 } = plan;
    const path = await this.storage.reserve(packageId, size);
    const actual = await this.digests.finish(plan, path);
    if (actual === sha256) {
      await this.storage.publish(path, packageId);
      return true;
    }
    const reason =
      `${filename} is damaged on this server's disk: its chunks were verified one by one, but the whole file has ` +
      `SHA-256 ${actual} instead of ${sha256}. Check the disk, then retry: all of it is fetched again.`;
    await this.commands.execute(new FailReplica(packageId, 'DIGEST_MISMATCH', reason));
    await this.storage.discard(path);
    return false;
  }
}
