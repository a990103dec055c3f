import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { z } from 'zod';
import { type ChunkRange, countChunks, missingRanges } from '../../../kernel/chunk-ranges.js';
import { AsJobHandler, withCause } from '../../../platform/jobs/job-runner.js';
import {
  DEFAULT_PRIORITY,
  type JobHandler,
  JobQueue,
  type NewJob,
  type RunningJob,
} from '../../../ports/job-queue.port.js';
import { PackageStorage } from '../../../ports/package-storage.port.js';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import { Delays, FetchPostponed } from './delays.js';
import { ReplicaPublisher } from './publish-replica.job.js';
import { RangeFetcher } from './chunk-fetch.js';
import { type FetchPlan, PlanFetch } from './replica-progress.command.js';
import { pickRange } from './source-choice.js';
import { Sources } from './sources.js';

/** Number of chunks that one job fetches in one request. */
const CHUNKS_PER_JOB = 16;
/**
 * Number of lanes of a replica. Each lane has one job in the queue, which enqueues the next job of its lane when it ends.
 * So the queue stays small for a package of any size, and a small package does not wait behind a large one.
 */
const LANE_COUNT = 6;

const FETCH_CHUNKS = 'fetch-chunks';

export const FetchChunks = z.object({
  packageId: z.string(),
  first: z.int().nonnegative(),
  count: z.int().positive(),
  /** True when this job enqueues the next job of its lane. A job for a rejected chunk does not. */
  lane: z.boolean(),
});
export type FetchChunks = z.infer<typeof FetchChunks>;

/** A package that one job can fetch as a whole does not wait behind packages that need many jobs. */
const SMALL_PACKAGE_PRIORITY = { priority: DEFAULT_PRIORITY - 20 };

const laneJob = (packageId: string, chunkCount: number, cell: number): NewJob => ({
  name: FETCH_CHUNKS,
  key: `fetch:${packageId}:${cell}`,
  data: { packageId, first: cell * CHUNKS_PER_JOB, count: CHUNKS_PER_JOB, lane: true },
  ...(chunkCount <= CHUNKS_PER_JOB && SMALL_PACKAGE_PRIORITY),
});

/** The first job of every lane of a replica. */
export function firstFetchJobs(packageId: string, chunkCount: number): NewJob[] {
  const cells = Math.ceil(chunkCount / CHUNKS_PER_JOB);
  return Array.from({ length: Math.min(LANE_COUNT, cells) }, (_, lane) => laneJob(packageId, chunkCount, lane));
}

/** The lane that fetches a chunk, from 0 to 5. */
const laneOf = (first: number): number => Math.floor(first / CHUNKS_PER_JOB) % LANE_COUNT;

/** The ranges of a lane that still lack chunks: those from `first` to the end, then those before it. */
function missingInLane(first: number, verified: readonly ChunkRange[], chunkCount: number): readonly ChunkRange[] {
  const ranges: ChunkRange[] = [];
  for (let cell = laneOf(first); cell * CHUNKS_PER_JOB < chunkCount; cell += LANE_COUNT) {
    const range = { first: cell * CHUNKS_PER_JOB, count: Math.min(CHUNKS_PER_JOB, chunkCount - cell * CHUNKS_PER_JOB) };
    if (missingRanges(verified, chunkCount, range).length > 0) ranges.push(range);
  }
  return [...ranges.filter((range) => range.first >= first), ...ranges.filter((range) => range.first < first)];
}

/**
 * The next job of the lane that has something to fetch; null at the end of the lane. A job whose own range still lacks a
 * rejected chunk does not start the lane again, since that chunk has a job of its own.
 */
export function nextFetchJob(order: FetchChunks, verified: readonly ChunkRange[], chunkCount: number): NewJob | null {
  const { packageId, first } = order;
  const isDone = missingRanges(verified, chunkCount, order).length === 0;
  const next = missingInLane(first, verified, chunkCount).find((range) => isDone || range.first > first);
  return next ? laneJob(packageId, chunkCount, next.first / CHUNKS_PER_JOB) : null;
}

/** The same job, due one second later. */
const laterJob = ({ name, key, data }: NewJob, now: Date): NewJob => ({
  name,
  key,
  data,
  runAt: new Date(now.getTime() + 1_000),
});

const MAX_REFETCH_DELAY_MS = 60_000;

/** Fetches one rejected chunk again: after 0.2 seconds, doubled with each rejection up to one minute. */
export const refetchJob = (packageId: string, index: number, times: number, now: Date): NewJob => ({
  name: FETCH_CHUNKS,
  key: `refetch:${packageId}:${index}`,
  data: { packageId, first: index, count: 1, lane: false },
  runAt: new Date(now.getTime() + Math.min(MAX_REFETCH_DELAY_MS, 100 * 2 ** times)),
});

/**
 * Fetches the missing chunks of one range, and publishes the replica once it is complete. When no source works, the reason
 * is recorded on the replica, and the queue runs the job again.
 */
@AsJobHandler()
@Injectable()
export class FetchChunksWorker implements JobHandler {
  readonly name = FETCH_CHUNKS;
  /** Enough for about two weeks. A peer that returns and a restart enqueue the jobs again in any case. */
  readonly maxAttempts = 30_000;
  /** Lanes in which a job of this process is running. */
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
    // A job that starts while another job of its lane runs would fetch the same bytes twice. It must not be lost either:
    // it has replaced the running job in the queue, and that job may fail or belong to an earlier request.
    if (this.underWay.has(lane)) return this.rescheduleJob(job);
    this.underWay.add(lane);
    try {
      await this.fetchMissing(order, job.signal);
    } catch (error) {
      if (!(error instanceof FetchPostponed)) throw error;
      await this.rescheduleJob(job);
    } finally {
      this.underWay.delete(lane);
    }
  }

  private rescheduleJob(job: RunningJob): Promise<void> {
    return this.queue.enqueue([withCause(laterJob(job, new Date()))]);
  }

  private async fetchMissing(order: FetchChunks, signal: AbortSignal): Promise<void> {
    const plan = await this.commands.execute(new PlanFetch(order.packageId));
    if (!plan) return;
    const range = await this.pickRange(order, plan);
    if (!range || missingRanges(plan.verified, plan.chunkCount, range).length === 0)
      return this.enqueueNext(order, plan, plan.verified, signal);
    const verified = await this.delays.runNotingDelay(plan, () => this.fetchRange(plan, range, signal));
    if (verified) await this.enqueueNext({ ...order, ...range }, plan, verified, signal);
  }

  /** The range of the job, or a better one of its lane when some peers are still fetching the package themselves. */
  private async pickRange(order: FetchChunks, plan: FetchPlan): Promise<ChunkRange | undefined> {
    if (!order.lane || plan.holders.every(({ whole }) => whole)) return order;
    const ranges = missingInLane(order.first, plan.verified, plan.chunkCount);
    return pickRange(ranges, await this.sources.findSources(plan), plan.chunkCount, this.placeIn(plan));
  }

  /** A number from 0 to 1 that is different for each server and package. */
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
    range: ChunkRange,
    signal: AbortSignal,
  ): Promise<readonly ChunkRange[] | null> {
    const file = await this.storage.reserveReplica(plan.packageId, plan.size);
    return this.fetcher.fetchRange(plan, range, { file, signal });
  }

  /** This job stays in the queue until the package is published. After a crash it runs again and finds no chunk missing. */
  private async enqueueNext(
    order: FetchChunks,
    { chunkCount }: FetchPlan,
    verified: readonly ChunkRange[],
    signal: AbortSignal,
  ): Promise<void> {
    const next = nextFetchJob(order, verified, chunkCount);
    if (next) await this.queue.enqueue([withCause(next)]);
    else if (countChunks(verified) === chunkCount) await this.publisher.publishReplica(order.packageId, signal);
  }
}
