import type { IncomingHttpHeaders } from 'node:http';
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
