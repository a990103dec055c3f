import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { API_HEADERS } from '../security-headers.js';
import { type PublicError, retryAfterOf } from './public-error.js';

/** True when this is the address of GraphQL, with or without a query string. */
export const isGraphqlPath = (url: string | undefined): boolean => /^\/graphql\/?(\?|$)/.test(url ?? '');

/** The time for which a client that was refused early may continue to send before the response ends. */
const LINGER_TIMEOUT_MS = 5_000;

/** True when the headers of a request announce a body. */
export const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/** Writes an error as JSON: in the form of GraphQL for requests to GraphQL, and in the common form for all others. */
function errorBody({ url }: IncomingMessage, { message, ...extensions }: Omit<PublicError, 'status'>): Buffer {
  const body = isGraphqlPath(url) ? { errors: [{ message, extensions }] } : { ...extensions, message };
  return Buffer.from(JSON.stringify(body));
}

/**
 * Answers with an error as JSON. When the body of the request is still arriving, its rest is read and dropped for up to
 * 5 s, because closing at once would reset the connection before the client has read the response. When a response has
 * already begun, its connection is closed instead.
 */
export function sendError(
  request: IncomingMessage,
  response: ServerResponse,
  { status, ...error }: PublicError,
  headers: OutgoingHttpHeaders = {},
): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const body = errorBody(request, error);
  const retryAfter = retryAfterOf(error);
  const unread = !request.complete && hasBody(request);
  response.writeHead(status, {
    ...API_HEADERS,
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': body.length,
    ...(retryAfter !== null && { 'Retry-After': retryAfter }),
    ...(unread && { Connection: 'close' }),
    ...headers,
  });
  if (request.method === 'HEAD') response.end();
  else if (unread) endWhenRead(request, response, body);
  else response.end(body);
}

function endWhenRead(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  response.write(body);
  const timer = setTimeout(() => response.end(), LINGER_TIMEOUT_MS).unref();
  const done = (): void => {
    clearTimeout(timer);
    response.end();
  };
  request.once('end', done).once('close', done).resume();
}
