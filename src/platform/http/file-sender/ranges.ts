/** Bytes `start` up to and not including `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** More ranges in one request are refused: each costs a part's headers, and nobody needs so many. */
const MAX_RANGES = 64;
const RANGE_SPEC = /^(?:(\d+)-(\d*)|-(\d+))$/;

/**
 * The Range header of RFC 9110, 14.2. Null: serve the whole, since there is no range, or one that is malformed or in
 * another unit. Empty: none can be satisfied (416). Overlapping ranges become one.
 */
export function parseRanges(header: string | undefined, size: number): ByteRange[] | null {
  if (header === undefined || !/^bytes=/i.test(header)) return null;
  const specs = header
    .slice('bytes='.length)
    .split(',')
    .map((spec) => RANGE_SPEC.exec(spec.trim()));
  if (specs.some((spec) => spec === null || isBackwards(spec))) return null;
  if (specs.length > MAX_RANGES) return [];
  return mergeRanges(specs.flatMap((spec) => (spec ? satisfiableRange(spec, size) : [])));
}

const isBackwards = ([, first, last]: RegExpExecArray): boolean => !!first && !!last && Number(last) < Number(first);

function satisfiableRange([, first, last, suffix]: RegExpExecArray, size: number): ByteRange[] {
  const start = suffix === undefined ? Number(first) : Math.max(0, size - Number(suffix));
  const end = last ? Math.min(Number(last) + 1, size) : size;
  return start < end ? [{ start, end }] : [];
}

/** In the order asked for, each range joined to an earlier one that it overlaps or touches. */
function mergeRanges(ranges: readonly ByteRange[]): ByteRange[] {
  const merged: ByteRange[] = [];
  for (const range of ranges) {
    const touching = merged.filter(({ start, end }) => range.start <= end && start <= range.end);
    const [first] = touching;
    if (!first) {
      merged.push(range);
      continue;
    }
    const all = [range, ...touching];
    const joined = { start: Math.min(...all.map((r) => r.start)), end: Math.max(...all.map((r) => r.end)) };
    merged.splice(merged.indexOf(first), 1, joined);
    for (const other of touching.slice(1)) merged.splice(merged.indexOf(other), 1);
  }
  return merged;
}
