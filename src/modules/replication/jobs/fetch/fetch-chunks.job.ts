import { z } from 'zod';
import { missingRuns, type Run } from '../../../../kernel/runs.js';
import { DEFAULT_PRIORITY, type NewJob } from '../../../../ports/job-queue.port.js';

/** Chunks that one job fetches in one request. */
const RUN_SIZE = 16;
/**
 * Jobs of one replica that wait at once; each that ends puts the next in the queue. So the queue stays small for a
 * package of any size, and a small package does not wait behind a large one.
 */
const LANES = 6;

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
const SMALL = { priority: DEFAULT_PRIORITY - 20 };

const laneJob = (packageId: string, chunkCount: number, cell: number): NewJob => ({
  name: FETCH_CHUNKS,
  key: `fetch:${packageId}:${cell}`,
  data: { packageId, first: cell * RUN_SIZE, count: RUN_SIZE, lane: true },
  ...(chunkCount <= RUN_SIZE && SMALL),
});

/** The first job of every lane of a replica. */
export function firstFetchJobs(packageId: string, chunkCount: number): NewJob[] {
  const cells = Math.ceil(chunkCount / RUN_SIZE);
  return Array.from({ length: Math.min(LANES, cells) }, (_, lane) => laneJob(packageId, chunkCount, lane));
}

/** The lane that a chunk is fetched in: 0 … 5. */
export const laneOf = (first: number): number => Math.floor(first / RUN_SIZE) % LANES;

/** The runs of a lane that still have something to fetch: from `first` to the end, then those before it. */
export function laneRuns(first: number, verified: readonly Run[], chunkCount: number): readonly Run[] {
  const runs: Run[] = [];
  for (let cell = laneOf(first); cell * RUN_SIZE < chunkCount; cell += LANES) {
    const run = { first: cell * RUN_SIZE, count: Math.min(RUN_SIZE, chunkCount - cell * RUN_SIZE) };
    if (missingRuns(verified, chunkCount, run).length > 0) runs.push(run);
  }
  return [...runs.filter((run) => run.first >= first), ...runs.filter((run) => run.first < first)];
}

/**
 * The next job of the lane that still has something to fetch, null at the lane's end. One whose run has a chunk that was
 * rejected does not begin the lane again: that chunk waits for its own job.
 */
export function nextFetchJob(order: FetchChunks, verified: readonly Run[], chunkCount: number): NewJob | null {
  const { packageId, first } = order;
  const isDone = missingRuns(verified, chunkCount, order).length === 0;
  const next = laneRuns(first, verified, chunkCount).find((run) => isDone || run.first > first);
  return next ? laneJob(packageId, chunkCount, next.first / RUN_SIZE) : null;
}

/** The same job a second later. */
export const laterJob = ({ name, key, data }: NewJob, now: Date): NewJob => ({
  name,
  key,
  data,
  runAt: new Date(now.getTime() + 1_000),
});

const LONGEST_REFETCH_MS = 60_000;

/** Fetches one rejected chunk again, after 0.2 s, doubled for each rejection up to a minute. */
export const refetchJob = (packageId: string, index: number, times: number, now: Date): NewJob => ({
  name: FETCH_CHUNKS,
  key: `refetch:${packageId}:${index}`,
  data: { packageId, first: index, count: 1, lane: false },
  runAt: new Date(now.getTime() + Math.min(LONGEST_REFETCH_MS, 100 * 2 ** times)),
});
