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

/** The next job of the lane that still has something to fetch, null at the lane's end. */
export function nextFetchJob({ packageId, first }: FetchChunks, verified: readonly Run[], chunkCount: number): NewJob | null {
  for (let cell = first / RUN_SIZE + LANES; cell * RUN_SIZE < chunkCount; cell += LANES) {
    const run = { first: cell * RUN_SIZE, count: RUN_SIZE };
    if (missingRuns(verified, chunkCount, run).length > 0) return laneJob(packageId, chunkCount, cell);
  }
  return null;
}

/** The same job a second later. */
export const laterJob = ({ name, key, data }: NewJob, now: Date): NewJob => ({
  name,
  key,
  data,
  runAt: new Date(now.getTime() + 1_000),
});

/** Fetches one rejected chunk again, after 0.2 s, doubled for each rejection. */
export const refetchJob = (packageId: string, index: number, times: number, now: Date): NewJob => ({
  name: FETCH_CHUNKS,
  key: `refetch:${packageId}:${index}`,
  data: { packageId, first: index, count: 1, lane: false },
  runAt: new Date(now.getTime() + 100 * 2 ** times),
});
