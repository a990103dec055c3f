import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { API_HEADERS } from '../security-headers.js';
import { type PublicError, retryAfterOf } from './public-error.js';

/** Is this the address of GraphQL, whatever its query? */
export const isGraphqlPath = (url: string | undefined): boolean => /^\/graphql\/?(\?|$)/.test(url ?? '');

/** How long a sender who was refused early may go on sending before the connection is cut. */
const LINGER_TIMEOUT_MS = 5_000;

/** Did the sender announce a body? */
export const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/** In the shape that GraphQL's clients read, where they are the ones who asked. */
function errorBody({ url }: IncomingMessage, { message, ...extensions }: Omit<PublicError, 'status'>): Buffer {
  const body = isGraphqlPath(url) ? { errors: [{ message, extensions }] } : { ...extensions, message };
  return Buffer.from(JSON.stringify(body));
}

/**
 * Answers with the error as JSON. When the request's body is still on its way, the rest is read and dropped for a
 * while: closing at once would reset the connection before the sender has read the answer.
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
