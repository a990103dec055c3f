/** Bytes of a chunk, the unit of verification and of replication: 1 MiB. It is a part of the format and never changes. */
export const CHUNK_SIZE = 1024 * 1024;

/** The largest package, 1 TiB. The manifest of a larger one would not fit into an answer. */
export const MAX_PACKAGE_SIZE = 2 ** 40;
/** The number of chunks of the largest package. */
export const MAX_CHUNKS = MAX_PACKAGE_SIZE / CHUNK_SIZE;

/** Neighbouring chunks: those with the indexes `first` to `first + count - 1`, counted from 0. */
export interface ChunkRange {
  readonly first: number;
  readonly count: number;
}

const endOf = (range: ChunkRange): number => range.first + range.count;

/** The union of sorted, disjoint ranges and one more range. The result is sorted and disjoint again. */
export function addRange(ranges: readonly ChunkRange[], added: ChunkRange): ChunkRange[] {
  if (added.count === 0) return [...ranges];
  const before = ranges.filter((range) => endOf(range) < added.first);
  const after = ranges.filter((range) => range.first > endOf(added));
  const touching = ranges.filter((range) => endOf(range) >= added.first && range.first <= endOf(added));
  const first = Math.min(added.first, ...touching.map((range) => range.first));
  const last = Math.max(endOf(added), ...touching.map(endOf));
  return [...before, { first, count: last - first }, ...after];
}

/** The chunks from 0 to `total - 1`, or those of the given window, that sorted, disjoint ranges do not hold. */
export function missingRanges(
  ranges: readonly ChunkRange[],
  total: number,
  window: ChunkRange = { first: 0, count: total },
): ChunkRange[] {
  const missing: ChunkRange[] = [];
  const stop = Math.min(endOf(window), total);
  let next = window.first;
  for (const range of ranges) {
    if (range.first >= stop) break;
    if (range.first > next) missing.push({ first: next, count: range.first - next });
    next = Math.max(next, endOf(range));
  }
  if (next < stop) missing.push({ first: next, count: stop - next });
  return missing;
}

/** The range of all chunks of a file; none for an empty file. */
export const allChunks = (count: number): readonly ChunkRange[] => addRange([], { first: 0, count });

/** Sorted, disjoint ranges without the chunks of others. */
export const removeRanges = (ranges: readonly ChunkRange[], removed: readonly ChunkRange[]): readonly ChunkRange[] =>
  removed.reduce((left, gone) => left.flatMap((range) => missingRanges([gone], endOf(range), range)), ranges);

/** Cuts ranges into parts of at most `size` chunks. */
export function splitRanges(ranges: readonly ChunkRange[], size: number): ChunkRange[] {
  return ranges.flatMap((range) =>
    Array.from({ length: Math.ceil(range.count / size) }, (_, i) => ({
      first: range.first + i * size,
      count: Math.min(size, range.count - i * size),
    })),
  );
}

/** Number of chunks in disjoint ranges. */
export const countChunks = (ranges: readonly ChunkRange[]): number =>
  ranges.reduce((sum, range) => sum + range.count, 0);
