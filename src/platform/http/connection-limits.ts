import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { PublicError } from './errors/public-error.js';
import { hasBody, sendError } from './errors/send-error.js';
import { rawAnswer } from './errors/socket-errors.js';

/** How long a client may take. In all, an upload may take any time; it only has to go on. */
export interface ConnectionLimits {
  /** From the first byte of a request to the end of its headers, in milliseconds. */
  readonly headersMs: number;
  /** Without a byte in either direction. */
  readonly idleMs: number;
  /** From the headers to the end of a body that is no upload: JSON of 1 MB at most. */
  readonly bodyMs: number;
  /** An upload has to bring `leastBytes` in each span of this. */
  readonly paceMs: number;
  readonly leastBytes: number;
  /** Of a connection on which nothing is asked, after an answer. */
  readonly keepAliveMs: number;
}

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

/** What is wrong with the address and the headers of a request, before anybody looks at what they say; null when nothing is. */
export function findHeadFault({ url = '', rawHeaders, httpVersion }: IncomingMessage): PublicError | null {
  if (url.length > MAX_URL) {
    return { status: 414, code: 'URL_TOO_LONG', message: `The address is longer than ${MAX_URL} characters.` };
  }
  // Names and values in turn.
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

/** Uploads, which take as long as they take. */
const isUpload = ({ url }: IncomingMessage): boolean => url?.startsWith('/api/') === true;

/**
 * Refuses a body that does not come: a small one has to be there in time, an upload has to go on. What waits here for us
 * to read it is not late.
 */
export function watchBody(request: IncomingMessage, response: ServerResponse, patience: ConnectionLimits): void {
  if (!hasBody(request)) return;
  const refuse = (message: string): void => {
    stop();
    sendError(request, response, requestTimeout(message));
  };
  const timer = isUpload(request)
    ? watchUploadPace(request, patience, () =>
        refuse('The upload does not go on: less than 4 KiB have arrived in a minute. Send the file again.'),
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
 * Closes a connection on which nothing has moved for long, with a word to who has not sent all of a request. Who waits
 * for our answer to a whole one is not the one that is idle.
 */
export function endIdle(socket: Socket, underWay: ServerResponse | undefined): void {
  const isOpen = underWay !== undefined && !underWay.headersSent && !underWay.destroyed;
  if (isOpen && underWay.req.complete) return;
  if (isOpen) socket.write(rawAnswer(socket, { status: 408, code: 'REQUEST_TIMEOUT', message: IDLE_MESSAGE }));
  socket.destroy();
}
