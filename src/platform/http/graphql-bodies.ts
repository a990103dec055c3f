import type { IncomingMessage, ServerResponse } from 'node:http';
import { isGraphqlPath, sendError } from './errors/send-error.js';

/** True for a body of GraphQL that the parser for JSON reads. */
export const isGraphqlJson = ({ url, headers }: IncomingMessage): boolean =>
  isGraphqlPath(url) && /^application\/([\w.-]+\+)?json\b/i.test(headers['content-type'] ?? '');

/** The largest body of a GraphQL request. */
export const MAX_GRAPHQL_BYTES = 1024 * 1024;
const GRAPHQL_BODY_TOO_LARGE = {
  status: 413,
  code: 'TOO_LARGE',
  message: 'A GraphQL request may have at most 1 MiB.',
};

/** True when a GraphQL request announces more than its parser would read. */
const isTooLarge = ({ url, headers }: IncomingMessage): boolean =>
  isGraphqlPath(url) && Number(headers['content-length'] ?? 0) > MAX_GRAPHQL_BYTES;

/**
 * Refuses a GraphQL request of unknown length as soon as too much of it has arrived. Its parser would read the whole body
 * first, however long it is.
 */
function refuseWhenTooLarge(request: IncomingMessage, response: ServerResponse): void {
  if (!isGraphqlPath(request.url) || request.headers['transfer-encoding'] === undefined) return;
  const push = request.push.bind(request);
  let arrived = 0;
  request.push = (bytes: Buffer | null, encoding) => {
    arrived += bytes?.length ?? 0;
    if (arrived <= MAX_GRAPHQL_BYTES) return push(bytes, encoding);
    request.push = push;
    sendError(request, response, GRAPHQL_BODY_TOO_LARGE);
    return push(bytes, encoding);
  };
}

/** Refuses a GraphQL request that is too large and returns true, or watches the length of its body and returns false. */
export function refuseLargeGraphql(request: IncomingMessage, response: ServerResponse): boolean {
  if (isTooLarge(request)) {
    sendError(request, response, GRAPHQL_BODY_TOO_LARGE);
    return true;
  }
  refuseWhenTooLarge(request, response);
  return false;
}
