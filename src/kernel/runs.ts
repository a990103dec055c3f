/** A run of neighbouring chunk indexes: `first`, `first + 1`, … `first + count - 1`. */
export interface Run {
  readonly first: number;
  readonly count: number;
}

const end = (run: Run): number => run.first + run.count;

/** The union of sorted, disjoint runs and one more run, again sorted and disjoint. */
export function addRun(runs: readonly Run[], added: Run): Run[] {
  if (added.count === 0) return [...runs];
  const before = runs.filter((run) => end(run) < added.first);
  const after = runs.filter((run) => run.first > end(added));
  const touching = runs.filter((run) => end(run) >= added.first && run.first <= end(added));
  const first = Math.min(added.first, ...touching.map((run) => run.first));
  const last = Math.max(end(added), ...touching.map(end));
  return [...before, { first, count: last - first }, ...after];
}

/** What of 0 … total - 1 the runs do not hold, or of the given window when there is one. */
export function missingRuns(runs: readonly Run[], total: number, window: Run = { first: 0, count: total }): Run[] {
  const missing: Run[] = [];
  const stop = Math.min(end(window), total);
  let next = window.first;
  for (const run of runs) {
    if (run.first >= stop) break;
    if (run.first > next) missing.push({ first: next, count: run.first - next });
    next = Math.max(next, end(run));
  }
  if (next < stop) missing.push({ first: next, count: stop - next });
  return missing;
}

/** What is left of sorted, disjoint runs without those chunks. */
export function removeRun(runs: readonly Run[], removed: Run): Run[] {
  return runs.flatMap((run) => missingRuns([removed], end(run), run));
}

/** Cuts runs into pieces of at most `size` chunks. */
export function splitRuns(runs: readonly Run[], size: number): Run[] {
  return runs.flatMap((run) =>
    Array.from({ length: Math.ceil(run.count / size) }, (_, i) => ({
      first: run.first + i * size,
      count: Math.min(size, run.count - i * size),
    })),
  );
}

export const countOf = (runs: readonly Run[]): number => runs.reduce((sum, run) => sum + run.count, 0);
