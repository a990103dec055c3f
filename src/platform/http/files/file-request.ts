import { isFromTrustedProxy } from '../caller-address.js';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Representation } from './representation.js';

const tagsIn = (header: string): readonly string[] => header.match(/(?:W\/)?"[^"]*"/g) ?? [];

/** Compares tags for If-Match, which requires the same bytes. Therefore weak tags never match. */
const matchesStrongly = (header: string, etag: string): boolean =>
  header.trim() === '*' || tagsIn(header).includes(etag);

const matchesWeakly = (header: string, etag: string): boolean =>
  header.trim() === '*' || tagsIn(header).some((tag) => tag.replace(/^W\//, '') === etag);

/**
 * True when the date in a header is not exactly the Last-Modified date of the file. An earlier content can be served again,
 * for example after a removal, so a later date does not mean that the client has this file. Null when the header is not a date.
 */
function isOtherDate(header: string, { lastModifiedMs }: Representation): boolean | null {
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : lastModifiedMs !== date;
}

/** Evaluates the preconditions of a GET or HEAD request in the order of RFC 9110, 13.2.2. Returns the HTTP status. */
export function checkConditions(headers: IncomingHttpHeaders, file: Representation): 200 | 304 | 412 {
  const ifMatch = headers['if-match'];
  const ifUnmodified = headers['if-unmodified-since'];
  if (ifMatch !== undefined) {
    if (!matchesStrongly(ifMatch, file.etag)) return 412;
  } else if (ifUnmodified !== undefined && isOtherDate(ifUnmodified, file)) return 412;
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch !== undefined) return matchesWeakly(ifNoneMatch, file.etag) ? 304 : 200;
  const ifModified = headers['if-modified-since'];
  return ifModified !== undefined && isOtherDate(ifModified, file) === false ? 304 : 200;
}

/**
 * True when the Range header applies, considering If-Range. A date in If-Range must be exactly the Last-Modified date of
 * the file.
 */
export function rangeCounts(headers: IncomingHttpHeaders, file: Representation): boolean {
  const condition = headers['if-range'];
  if (condition === undefined) return true;
  const value = String(condition).trim();
  return value === file.etag || Date.parse(value) === file.lastModifiedMs;
}

/** A range of bytes from `start` to `end`. The byte at `end` is not included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Limit for the ranges in one request. Each range costs the headers of a part, and no client needs more. */
const MAX_RANGES = 64;
const RANGE_SPEC = /^(?:(\d+)-(\d*)|-(\d+))$/;

/**
 * Parses a Range header (RFC 9110, 14.2) for a file of `size` bytes. Returns null when the whole file is to be sent,
 * since there is no header, or it is malformed or in another unit than bytes. Returns an empty list when no range can
 * be satisfied, or when there are more than 64 (status 416). Ranges that overlap or touch are joined.
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

/** Keeps the order of the request, and joins each range to an earlier one that it overlaps or touches. */
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

/** The part of a file that a proxy sends: the ranges in the Range header of the request, or the whole file. */
export type SentByProxy = 'by its range' | 'whole';

/** One range in the simplest form, which every proxy parses in the same way as this server. */
const PLAIN_RANGE = /^bytes=(?:\d{1,15}-\d{0,15}|-\d{1,15})$/i;

/**
 * True when a request has preconditions that nginx would evaluate again, with the time of the file on the disk and
 * without the ETag of this server. Its result could differ from the result of this server.
 */
const isCheckedByProxy = ({ headers }: IncomingMessage): boolean =>
  headers['if-match'] !== undefined ||
  headers['if-unmodified-since'] !== undefined ||
  headers['if-none-match']?.startsWith('*') === true;

/**
 * True when a request comes from a trusted proxy that understands `X-Accel-Redirect` in the response. Nobody else is told
 * where files are.
 */
export const canAccelerate = (request: IncomingMessage): boolean =>
  request.method === 'GET' && request.headers['x-odst-accel'] === '1' && isFromTrustedProxy(request);

/**
 * Returns how the proxy may send a file, after this server has evaluated the preconditions and the ranges. Returns null
 * when this server must send the file itself, for example several ranges, which nginx sends in another format.
 */
export function sentByProxy(request: IncomingMessage, ranges: readonly ByteRange[] | null): SentByProxy | null {
  if (!canAccelerate(request) || isCheckedByProxy(request)) return null;
  const { range } = request.headers;
  if (range === undefined) return 'by its range';
  if (ranges === null) return 'whole';
  return PLAIN_RANGE.test(range) ? 'by its range' : null;
}
