import { array, assert, integer, nat, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addRange, missingRanges, type ChunkRange } from '../../../kernel/chunk-ranges.js';
import { FetchChunks, firstFetchJobs, nextFetchJob, refetchJob } from './fetch-chunks.job.js';

/** Runs the jobs of a replica as a queue would, each fetching all that it is for. */
function fetchAll(
  chunkCount: number,
  start: readonly ChunkRange[],
): { verified: readonly ChunkRange[]; keys: string[]; most: number } {
  let verified = start;
  const keys: string[] = [];
  const waiting = firstFetchJobs('p', chunkCount);
  let most = waiting.length;
  for (let job = waiting.shift(); job; job = waiting.shift()) {
    keys.push(job.key);
    const order = FetchChunks.parse(job.data);
    for (const range of missingRanges(verified, chunkCount, order)) verified = addRange(verified, range);
    const next = nextFetchJob(order, verified, chunkCount);
    if (next) waiting.push(next);
    most = Math.max(most, waiting.length);
  }
  return { verified, keys, most };
}

describe('the lanes of a replica', () => {
  it('reach every chunk, none twice, with few jobs waiting, whatever was there before', () => {
    const range = record({ first: nat(999), count: integer({ min: 1, max: 60 }) });
    assert(
      property(integer({ min: 1, max: 1_000 }), array(range, { maxLength: 10 }), (chunkCount, ranges) => {
        const inside = ranges.flatMap((one) => missingRanges([], chunkCount, one));
        const start = inside.reduce<readonly ChunkRange[]>(addRange, []);
        const { verified, keys, most } = fetchAll(chunkCount, start);
        expect(verified).toEqual([{ first: 0, count: chunkCount }]);
        expect(new Set(keys).size).toBe(keys.length);
        expect(most).toBeLessThanOrEqual(6);
      }),
    );
  });

  it('are none for an empty package', () => expect(firstFetchJobs('p', 0)).toEqual([]));

  it('are not disturbed by fetching a rejected chunk again, later each time', () => {
    const now = new Date(0);
    const waits = [1, 2, 3, 4].map((times) => refetchJob('p', 7, times, now).runAt?.getTime());
    expect(waits).toEqual([200, 400, 800, 1600]);
    expect(refetchJob('p', 7, 1, now)).toMatchObject({ key: 'refetch:p:7', data: { first: 7, count: 1, lane: false } });
  });
});
