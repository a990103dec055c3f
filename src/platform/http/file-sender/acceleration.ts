import type { IncomingMessage } from 'node:http';
import type { ByteRange } from './ranges.js';

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
