import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { PublicError } from './errors/public-error.js';
import { hasBody, sendError } from './errors/send-error.js';
import { rawAnswer } from './errors/socket-errors.js';

/** Time limits for clients. An upload has no limit for its total time, but it must make progress. */
export interface ConnectionLimits {
  /** Limit from the first byte of a request to the end of its headers, in milliseconds. */
  readonly headersMs: number;
  /** Limit for a connection without a byte in either direction, in milliseconds. */
  readonly idleMs: number;
  /** Limit from the headers to the end of a body that is not an upload (JSON of 1 MB at most), in milliseconds. */
  readonly bodyMs: number;
  /** Interval in milliseconds in which an upload must deliver at least `leastBytes` bytes. */
  readonly paceMs: number;
  readonly leastBytes: number;
  /** The time for which a connection stays open after a response while no new request arrives, in milliseconds. */
  readonly keepAliveMs: number;
}

/** The limits that apply when no others are given. */
export const DEFAULT_CONNECTION_LIMITS: ConnectionLimits = {
  headersMs: 30_000,
  idleMs: 120_000,
  bodyMs: 60_000,
  paceMs: 60_000,
  leastBytes: 4_096,
  keepAliveMs: 65_000,
};

const MAX_URL = 8_000;
const MAX_HEADERS = 100;

const HOST_NAME = /^host$/i;

/**
 * Checks the form of a request before any handler sees it: the length of its address, the number of its headers and its
 * Host header. Returns the error to answer with, or null when the request is well-formed.
 */
export function findHeadFault({ url = '', rawHeaders, httpVersion }: IncomingMessage): PublicError | null {
  if (url.length > MAX_URL) {
    return { status: 414, code: 'URL_TOO_LONG', message: `The address is longer than ${MAX_URL} characters.` };
  }
  // `rawHeaders` contains names and values in turn.
  if (rawHeaders.length > 2 * MAX_HEADERS) {
    return { status: 431, code: 'HEADERS_TOO_LARGE', message: `The request has more than ${MAX_HEADERS} headers.` };
  }
  const hosts = rawHeaders.filter((name, i) => i % 2 === 0 && name.length === 4 && HOST_NAME.test(name)).length;
  if (hosts > 1 || (hosts === 0 && httpVersion === '1.1')) {
    return { status: 400, code: 'INVALID_REQUEST', message: 'A request must have one Host header.' };
  }
  return null;
}

const requestTimeout = (message: string): PublicError => ({ status: 408, code: 'REQUEST_TIMEOUT', message });

/** True when a request is an upload, which has no limit for its total time. */
const isUpload = ({ url }: IncomingMessage): boolean => url?.startsWith('/api/') === true;

/**
 * Answers REQUEST_TIMEOUT when a body does not arrive in time, or when an upload makes too little progress. An upload
 * whose bytes have arrived and wait in this process to be read is not too slow.
 */
export function watchBody(request: IncomingMessage, response: ServerResponse, patience: ConnectionLimits): void {
  if (!hasBody(request)) return;
  const refuse = (message: string): void => {
    stop();
    sendError(request, response, requestTimeout(message));
  };
  const timer = isUpload(request)
    ? watchUploadPace(request, patience, () =>
        refuse('The upload is too slow: less than 4 KiB have arrived within a minute. Send the file again.'),
      )
    : setTimeout(() => refuse('The body of the request did not arrive in time.'), patience.bodyMs);
  const stop = (): void => clearTimeout(timer);
  request.once('end', stop).once('close', stop);
}

function watchUploadPace(
  request: IncomingMessage,
  { paceMs, leastBytes }: ConnectionLimits,
  onStall: () => void,
): NodeJS.Timeout {
  let before = request.socket.bytesRead;
  return setInterval(() => {
    const arrived = request.socket.bytesRead - before;
    before += arrived;
    if (arrived < leastBytes && request.readableLength === 0) onStall();
  }, paceMs);
}

const IDLE_MESSAGE = 'Nothing has arrived for too long.';

/**
 * Closes an idle connection. A client that has sent only a part of a request gets REQUEST_TIMEOUT first. The connection
 * stays open while a client waits for the response to a complete request, because then this server is the slow side.
 */
export function endIdle(socket: Socket, underWay: ServerResponse | undefined): void {
  const isOpen = underWay !== undefined && !underWay.headersSent && !underWay.destroyed;
  if (isOpen && underWay.req.complete) return;
  if (isOpen) socket.write(rawAnswer(socket, { status: 408, code: 'REQUEST_TIMEOUT', message: IDLE_MESSAGE }));
  socket.destroy();
}
