/** A run of neighbouring chunk indexes: `first`, `first + 1`, … `first + count - 1`. */
export interface ChunkRange {
  readonly first: number;
  readonly count: number;
}

const endOf = (run: ChunkRange): number => run.first + run.count;

/** The union of sorted, disjoint runs and one more run, again sorted and disjoint. */
export function addRange(runs: readonly ChunkRange[], added: ChunkRange): ChunkRange[] {
  if (added.count === 0) return [...runs];
  const before = runs.filter((run) => endOf(run) < added.first);
  const after = runs.filter((run) => run.first > endOf(added));
  const touching = runs.filter((run) => endOf(run) >= added.first && run.first <= endOf(added));
  const first = Math.min(added.first, ...touching.map((run) => run.first));
  const last = Math.max(endOf(added), ...touching.map(endOf));
  return [...before, { first, count: last - first }, ...after];
}

/** What of 0 … total - 1 the runs do not hold, or of the given window when there is one. */
export function missingRanges(
  runs: readonly ChunkRange[],
  total: number,
  window: ChunkRange = { first: 0, count: total },
): ChunkRange[] {
  const missing: ChunkRange[] = [];
  const stop = Math.min(endOf(window), total);
  let next = window.first;
  for (const run of runs) {
    if (run.first >= stop) break;
    if (run.first > next) missing.push({ first: next, count: run.first - next });
    next = Math.max(next, endOf(run));
  }
  if (next < stop) missing.push({ first: next, count: stop - next });
  return missing;
}

/** What is left of sorted, disjoint runs without those chunks. */
export function removeRange(runs: readonly ChunkRange[], removed: ChunkRange): ChunkRange[] {
  return runs.flatMap((run) => missingRanges([removed], endOf(run), run));
}

/** Cuts runs into pieces of at most `size` chunks. */
export function splitRanges(runs: readonly ChunkRange[], size: number): ChunkRange[] {
  return runs.flatMap((run) =>
    Array.from({ length: Math.ceil(run.count / size) }, (_, i) => ({
      first: run.first + i * size,
      count: Math.min(size, run.count - i * size),
    })),
  );
}

export const countChunks = (runs: readonly ChunkRange[]): number => runs.reduce((sum, run) => sum + run.count, 0);
