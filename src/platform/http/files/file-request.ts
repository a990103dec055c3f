import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Representation } from './representation.js';

const tagsIn = (header: string): readonly string[] => header.match(/(?:W\/)?"[^"]*"/g) ?? [];

/** If-Match needs the same bytes, so weak tags never match. */
const matchesStrongly = (header: string, etag: string): boolean =>
  header.trim() === '*' || tagsIn(header).includes(etag);

const matchesWeakly = (header: string, etag: string): boolean =>
  header.trim() === '*' || tagsIn(header).some((tag) => tag.replace(/^W\//, '') === etag);

/** Was it changed after the date in the header? Null when that is no date. */
function changedSince(header: string, { lastModifiedMs }: Representation): boolean | null {
  const since = Date.parse(header);
  return Number.isNaN(since) ? null : lastModifiedMs > since;
}

/** Evaluates the preconditions of a GET or HEAD in the order of RFC 9110, 13.2.2. */
export function checkConditions(headers: IncomingHttpHeaders, file: Representation): 200 | 304 | 412 {
  const ifMatch = headers['if-match'];
  const ifUnmodified = headers['if-unmodified-since'];
  if (ifMatch !== undefined) {
    if (!matchesStrongly(ifMatch, file.etag)) return 412;
  } else if (ifUnmodified !== undefined && changedSince(ifUnmodified, file)) return 412;
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch !== undefined) return matchesWeakly(ifNoneMatch, file.etag) ? 304 : 200;
  const ifModified = headers['if-modified-since'];
  return ifModified !== undefined && changedSince(ifModified, file) === false ? 304 : 200;
}

/** Does If-Range let the Range header count? A date must be the very one we gave. */
export function rangeCounts(headers: IncomingHttpHeaders, file: Representation): boolean {
  const condition = headers['if-range'];
  if (condition === undefined) return true;
  const value = String(condition).trim();
  return value === file.etag || Date.parse(value) === file.lastModifiedMs;
}

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

/** What a proxy has to do with the request's own Range header when it sends the file. */
export type SentByProxy = 'by its range' | 'whole';

/** One range in the plainest form, which every proxy reads as we do. */
const PLAIN_RANGE = /^bytes=(?:\d{1,15}-\d{0,15}|-\d{1,15})$/i;

/**
 * Conditions that nginx would check once more, against the file's own time and without our ETag. When we have found
 * that they hold, it must not find otherwise.
 */
const isCheckedByProxy = ({ headers }: IncomingMessage): boolean =>
  headers['if-match'] !== undefined ||
  headers['if-unmodified-since'] !== undefined ||
  headers['if-none-match']?.startsWith('*') === true;

/** Did a proxy ask that takes `X-Accel-Redirect` for an answer? */
export const canAccelerate = ({ method, headers }: IncomingMessage): boolean =>
  method === 'GET' && headers['x-odst-accel'] === '1';

/**
 * How the proxy may send a file, after our own decision on conditions and ranges; null when we send it ourselves, as
 * with several ranges, which nginx frames in another way.
 */
export function sentByProxy(request: IncomingMessage, ranges: readonly ByteRange[] | null): SentByProxy | null {
  if (!canAccelerate(request) || isCheckedByProxy(request)) return null;
  const { range } = request.headers;
  if (range === undefined) return 'by its range';
  if (ranges === null) return 'whole';
  return PLAIN_RANGE.test(range) ? 'by its range' : null;
}
