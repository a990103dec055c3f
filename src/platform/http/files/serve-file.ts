import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { LRUCache } from 'lru-cache';
import { Refusal } from '../../../kernel/errors.js';
import type { StoredFile } from '../../../ports/package-storage.port.js';
import { expectedError } from '../errors/public-error.js';
import { sendError } from '../errors/send-error.js';
import {
  type ByteRange,
  canAccelerate,
  checkConditions,
  parseRanges,
  rangeCounts,
  sentByProxy,
  type SentByProxy,
} from './file-request.js';
import type { Representation } from './representation.js';
import { FileTooShort, type Pace, sendRanges, sendSmall, SMALL_BYTES } from './send-ranges.js';

const MAX_REMEMBERED_BYTES = 32 * 1024 * 1024;

/**
 * A cache of the small files that were requested last, because opening and reading a small file costs more than
 * sending it. The key is the strong ETag, which is the SHA-256 digest of the content, so an entry is never out of
 * date.
 */
const rememberedContents = new LRUCache<string, Buffer>({
  maxSize: MAX_REMEMBERED_BYTES,
  sizeCalculation: ({ length }) => Math.max(1, length),
});

const rememberedContent = (etag: string): Buffer | undefined => rememberedContents.get(etag);

/**
 * Stores a copy of the bytes in the cache when they match the digest in the ETag. Otherwise the content of a damaged
 * file would stay in the cache after the file was repaired.
 */
function rememberContent(etag: string, bytes: Buffer): void {
  if (etag === `"${createHash('sha256').update(bytes).digest('hex')}"`)
    rememberedContents.set(etag, Buffer.from(bytes));
}

/**
 * Internal locations of the proxy for `X-Accel-Redirect`: one sends the file by the Range header, the other one whole.
 */
export type ProxyLocation = Readonly<Record<SentByProxy, string>>;

/** A file to be served. */
interface ServedFile {
  readonly representation: Representation;
  /** Opens the file. Returns null when it does not exist. */
  open(): Promise<StoredFile | null>;
  /** The place where the proxy finds the file. Null when this server always sends it itself. */
  readonly location?: ProxyLocation | null;
  /** Limit for the rate. Null or left out for no limit. */
  readonly pace?: Pace | null;
}

const FAILURES = {
  405: new Refusal('METHOD_NOT_ALLOWED', 'Only GET and HEAD are possible here.'),
  412: new Refusal('PRECONDITION_FAILED', 'The file is not the one for which If-Match or If-Unmodified-Since asks.'),
  416: new Refusal('RANGE_NOT_SATISFIABLE', 'The file does not have this range, or there are too many ranges.'),
} as const;

function sendFailure(
  request: IncomingMessage,
  response: ServerResponse,
  status: keyof typeof FAILURES,
  headers: Record<string, string> = {},
): void {
  const error = expectedError(FAILURES[status]);
  if (error) sendError(request, response, error, headers);
}

/** Returns whether the method is GET or HEAD. Answers METHOD_NOT_ALLOWED (405) when it is not. */
export function requireReading(request: IncomingMessage, response: ServerResponse): boolean {
  if (request.method === 'GET' || request.method === 'HEAD') return true;
  sendFailure(request, response, 405, { Allow: 'GET, HEAD' });
  return false;
}

/**
 * Answers a GET or HEAD request with a file according to RFC 9110, including preconditions and one or more ranges.
 * Resolves with true when the response is sent or the client has closed the connection. Resolves with false, without
 * sending anything, when the file does not exist.
 * @throws FileTooShort when the stored file does not have the size of its package
 */
export async function serveFile(
  request: IncomingMessage,
  response: ServerResponse,
  file: ServedFile,
): Promise<boolean> {
  const { representation } = file;
  const status = checkConditions(request.headers, representation);
  if (status === 412) sendFailure(request, response, 412);
  if (status === 304) response.writeHead(304, representation.headersWith({})).end();
  if (status !== 200) return true;
  const ranges = wantedRanges(request, representation);
  if (ranges?.length === 0) {
    sendFailure(request, response, 416, { 'Content-Range': `bytes */${representation.size}` });
    return true;
  }
  return answerWithFile(request, response, file, ranges);
}

function wantedRanges({ method, headers }: IncomingMessage, file: Representation): ByteRange[] | null {
  if (method !== 'GET' || headers.range === undefined || !rangeCounts(headers, file)) return null;
  return parseRanges(headers.range, file.size);
}

async function answerWithFile(
  request: IncomingMessage,
  response: ServerResponse,
  { representation, open, location, pace = null }: ServedFile,
  ranges: readonly ByteRange[] | null,
): Promise<boolean> {
  const isSmall =
    request.method === 'GET' &&
    !ranges &&
    !pace &&
    !(location && canAccelerate(request)) &&
    representation.size <= SMALL_BYTES;
  const remembered = isSmall ? rememberedContent(representation.etag) : undefined;
  if (remembered) {
    response.writeHead(200, representation.wholeHeaders).end(remembered);
    return true;
  }
  const stored = await open();
  if (!stored) return false;
  if (stored.size !== representation.size) {
    stored.close();
    throw new FileTooShort('The file has another size than its package');
  }
  const byProxy = location ? sentByProxy(request, ranges) : null;
  if (location && byProxy) {
    stored.close();
    redirectToProxyLocation(response, representation, location[byProxy]);
  } else if (request.method === 'HEAD') {
    stored.close();
    response.writeHead(200, representation.wholeHeaders).end();
  } else if (isSmall) {
    const remember = (bytes: Buffer): void => rememberContent(representation.etag, bytes);
    await sendSmall(response, stored, representation.wholeHeaders, remember).finally(() => stored.close());
  } else {
    await sendBody(response, stored, representation, ranges, pace).finally(() => stored.close());
  }
  return true;
}

/**
 * Lets the proxy send the file. nginx takes the headers from this response, and the body and Content-Length from the
 * file.
 */
function redirectToProxyLocation(response: ServerResponse, file: Representation, location: string): void {
  response.writeHead(200, [...file.proxyHeaders, 'X-Accel-Redirect', location]).end();
}

function sendBody(
  response: ServerResponse,
  stored: StoredFile,
  file: Representation,
  ranges: readonly ByteRange[] | null,
  pace: Pace | null,
): Promise<void> {
  if (!ranges) {
    response.writeHead(200, file.wholeHeaders);
    return sendRanges(response, stored, [{ start: 0, end: file.size }], undefined, pace);
  }
  const [range] = ranges;
  return ranges.length === 1 && range
    ? sendOneRange(response, stored, file, range, pace)
    : sendSeveralRanges(response, stored, file, ranges, pace);
}

const contentRange = ({ start, end }: ByteRange, size: number): string => `bytes ${start}-${end - 1}/${size}`;

function sendOneRange(
  response: ServerResponse,
  stored: StoredFile,
  file: Representation,
  range: ByteRange,
  pace: Pace | null,
): Promise<void> {
  const headers = {
    'Content-Type': file.contentType,
    'Content-Range': contentRange(range, file.size),
    'Content-Length': String(range.end - range.start),
  };
  response.writeHead(206, file.headersWith(headers));
  return sendRanges(response, stored, [range], undefined, pace);
}

/** Sends several ranges as `multipart/byteranges` (RFC 9110, 14.6). */
function sendSeveralRanges(
  response: ServerResponse,
  stored: StoredFile,
  file: Representation,
  ranges: readonly ByteRange[],
  pace: Pace | null,
): Promise<void> {
  const boundary = randomBytes(18).toString('hex');
  const parts = ranges.map((range) => ({
    ...range,
    head: `\r\n--${boundary}\r\nContent-Type: ${file.contentType}\r\nContent-Range: ${contentRange(range, file.size)}\r\n\r\n`,
  }));
  const tail = `\r\n--${boundary}--\r\n`;
  const length = parts.reduce((sum, { head, start, end }) => sum + head.length + end - start, tail.length);
  const headers = { 'Content-Type': `multipart/byteranges; boundary=${boundary}`, 'Content-Length': String(length) };
  response.writeHead(206, file.headersWith(headers));
  return sendRanges(response, stored, parts, tail, pace);
}
