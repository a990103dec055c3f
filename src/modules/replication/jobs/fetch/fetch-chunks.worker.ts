import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { countChunks, missingRanges, type ChunkRange } from '../../../../kernel/runs.js';
import { withCause } from '../../../../platform/jobs/caused.js';
import { AsJobHandler } from '../../../../platform/jobs/job-handlers.js';
import { JobQueue, type JobHandler, type RunningJob } from '../../../../ports/job-queue.port.js';
import { PackageStorage } from '../../../../ports/package-storage.port.js';
import { ServerIdentity } from '../../../../ports/server-identity.port.js';
import { PlanFetch, type FetchPlan } from '../../commands/progress/plan-fetch.command.js';
import { Delays } from '../delays.js';
import { ReplicaPublisher } from '../publish/replica-publisher.js';
import { FetchPostponed } from '../sources/no-source.js';
import { Sources } from '../sources/sources.js';
import { FETCH_CHUNKS, FetchChunks, laneOf, missingInLane, laterJob, nextFetchJob } from './fetch-chunks.job.js';
import { pickRange } from './pick-run.js';
import { RangeFetcher } from './run-fetcher.js';

/** Fetches what is missing of one run of chunks, and publishes what is complete. When no source works, that is noted on the replica, and the queue tries again. */
@AsJobHandler()
@Injectable()
export class FetchChunksWorker implements JobHandler {
  readonly name = FETCH_CHUNKS;
  /** About two weeks; a peer that comes back, and a restart, wake the replica in any case. */
  readonly maxAttempts = 30_000;
  /** Lanes that a job of this process is at work in. */
  private readonly underWay = new Set<string>();

  constructor(
    private readonly commands: CommandBus,
    private readonly queue: JobQueue,
    private readonly storage: PackageStorage,
    private readonly identity: ServerIdentity,
    private readonly sources: Sources,
    private readonly fetcher: RangeFetcher,
    private readonly delays: Delays,
    private readonly publisher: ReplicaPublisher,
  ) {}

  async handle(job: RunningJob): Promise<void> {
    const order = FetchChunks.parse(job.data);
    const lane = `${order.packageId}/${laneOf(order.first)}`;
    // A job that was woken while one of its lane runs would fetch the same bytes twice. It has taken over from that one,
    // which may fail or be of an earlier request, so it must not be lost.
    if (this.underWay.has(lane)) return this.reschedule(job);
    this.underWay.add(lane);
    try {
      await this.fetchMissing(order, job.signal);
    } catch (error) {
      if (!(error instanceof FetchPostponed)) throw error;
      await this.reschedule(job);
    } finally {
      this.underWay.delete(lane);
    }
  }

  private reschedule(job: RunningJob): Promise<void> {
    return this.queue.enqueue([withCause(laterJob(job, new Date()))]);
  }

  private async fetchMissing(order: FetchChunks, signal: AbortSignal): Promise<void> {
    const plan = await this.commands.execute(new PlanFetch(order.packageId));
    if (!plan) return;
    const run = await this.pickRange(order, plan);
    if (!run || missingRanges(plan.verified, plan.chunkCount, run).length === 0)
      return this.enqueueNext(order, plan, plan.verified, signal);
    const verified = await this.delays.runNotingDelay(plan, () => this.fetchRange(plan, run, signal));
    if (verified) await this.enqueueNext({ ...order, ...run }, plan, verified, signal);
  }

  /** The run that the job is for; another one of its lane when peers that fetch the package, too, make that better. */
  private async pickRange(order: FetchChunks, plan: FetchPlan): Promise<ChunkRange | undefined> {
    if (!order.lane || plan.holders.every(({ whole }) => whole)) return order;
    const runs = missingInLane(order.first, plan.verified, plan.chunkCount);
    return pickRange(runs, await this.sources.findSources(plan), plan.chunkCount, this.placeIn(plan));
  }

  /** 0 to 1, another for each server and package. */
  private placeIn({ packageId }: FetchPlan): number {
    return (
      createHash('sha256')
        .update(this.identity.serverId + packageId)
        .digest()
        .readUInt32BE(0) /
      2 ** 32
    );
  }

  private async fetchRange(
    plan: FetchPlan,
    run: ChunkRange,
    signal: AbortSignal,
  ): Promise<readonly ChunkRange[] | null> {
    const path = await this.storage.reserve(plan.packageId, plan.size);
    return this.fetcher.fetchRange(plan, run, { path, signal });
  }

  /** This job stays in the queue until the package is published: after a crash it comes again, and finds nothing missing. */
  private async enqueueNext(
    order: FetchChunks,
    { chunkCount }: FetchPlan,
    verified: readonly ChunkRange[],
    signal: AbortSignal,
  ): Promise<void> {
    const next = nextFetchJob(order, verified, chunkCount);
    if (next) await this.queue.enqueue([withCause(next)]);
    else if (countChunks(verified) === chunkCount) await this.publisher.publish(order.packageId, signal);
  }
}
