import { z } from 'zod';
import { missingRanges, type ChunkRange } from '../../../../kernel/runs.js';
import { DEFAULT_PRIORITY, type NewJob } from '../../../../ports/job-queue.port.js';

/** Chunks that one job fetches in one request. */
const CHUNKS_PER_JOB = 16;
/**
 * Jobs of one replica that wait at once; each that ends puts the next in the queue. So the queue stays small for a
 * package of any size, and a small package does not wait behind a large one.
 */
const LANE_COUNT = 6;

export const FETCH_CHUNKS = 'fetch-chunks';

export const FetchChunks = z.object({
  packageId: z.string(),
  first: z.int().nonnegative(),
  count: z.int().positive(),
  /** Does this job put the next one of its lane in the queue? */
  lane: z.boolean(),
});
export type FetchChunks = z.infer<typeof FetchChunks>;

/** A package that one job can fetch whole does not wait behind those that take many. */
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

/** The lane that a chunk is fetched in: 0 … 5. */
export const laneOf = (first: number): number => Math.floor(first / CHUNKS_PER_JOB) % LANE_COUNT;

/** The runs of a lane that still have something to fetch: from `first` to the end, then those before it. */
export function missingInLane(
  first: number,
  verified: readonly ChunkRange[],
  chunkCount: number,
): readonly ChunkRange[] {
  const runs: ChunkRange[] = [];
  for (let cell = laneOf(first); cell * CHUNKS_PER_JOB < chunkCount; cell += LANE_COUNT) {
    const run = { first: cell * CHUNKS_PER_JOB, count: Math.min(CHUNKS_PER_JOB, chunkCount - cell * CHUNKS_PER_JOB) };
    if (missingRanges(verified, chunkCount, run).length > 0) runs.push(run);
  }
  return [...runs.filter((run) => run.first >= first), ...runs.filter((run) => run.first < first)];
}

/**
 * The next job of the lane that still has something to fetch, null at the lane's end. One whose run has a chunk that was
 * rejected does not begin the lane again: that chunk waits for its own job.
 */
export function nextFetchJob(order: FetchChunks, verified: readonly ChunkRange[], chunkCount: number): NewJob | null {
  const { packageId, first } = order;
  const isDone = missingRanges(verified, chunkCount, order).length === 0;
  const next = missingInLane(first, verified, chunkCount).find((run) => isDone || run.first > first);
  return next ? laneJob(packageId, chunkCount, next.first / CHUNKS_PER_JOB) : null;
}

/** The same job a second later. */
export const laterJob = ({ name, key, data }: NewJob, now: Date): NewJob => ({
  name,
  key,
  data,
  runAt: new Date(now.getTime() + 1_000),
});

const MAX_REFETCH_DELAY_MS = 60_000;

/** Fetches one rejected chunk again, after 0.2 s, doubled for each rejection up to a minute. */
export const refetchJob = (packageId: string, index: number, times: number, now: Date): NewJob => ({
  name: FETCH_CHUNKS,
  key: `refetch:${packageId}:${index}`,
  data: { packageId, first: index, count: 1, lane: false },
  runAt: new Date(now.getTime() + Math.min(MAX_REFETCH_DELAY_MS, 100 * 2 ** times)),
});
