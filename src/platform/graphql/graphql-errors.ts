import { Logger } from '@nestjs/common';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { PeerUnreachable } from '../../ports/peer-transport.port.js';
import { expectedError, internalError, type PublicError } from '../http/errors/public-error.js';
import { currentContext } from '../runtime/call-context.js';

const logger = new Logger('GraphQL');

function toPublicError(error: unknown): PublicError {
  const known = expectedError(error);
  if (known) return known;
  if (error instanceof PeerUnreachable) return { status: 502, code: 'PEER_UNREACHABLE', message: error.message };
  const { correlationId } = currentContext();
  logger.error(`A field failed (${correlationId}): ${String(error)}`, error instanceof Error ? error.stack : undefined);
  return internalError(correlationId);
}

/**
 * Formats an error for the client. A refusal keeps its code, its message and its details, and a mistake in the request
 * keeps the message of GraphQL. For any other error, the client gets only the correlation id with which the error is
 * logged.
 */
export function formatGraphqlError(error: GraphQLError): GraphQLFormattedError {
  const { locations, path } = error;
  const place = { ...(locations && { locations }), ...(path && { path }) };
  const { originalError } = error;
  // Apollo wraps a mistake in the request in an error of its own with another code. The client gets the inner code.
  const ownCode = originalError instanceof GraphQLError ? originalError.extensions['code'] : undefined;
  if (!originalError || typeof error.extensions['code'] === 'string') {
    const code = ownCode ?? error.extensions['code'] ?? 'GRAPHQL_VALIDATION_FAILED';
    const { details } = error.extensions;
    return { message: error.message, ...place, extensions: { code, ...(details !== undefined && { details }) } };
  }
  const { code, message, details } = toPublicError(originalError);
  return { message, ...place, extensions: { code, ...(details && { details }) } };
}

/**
 * Codes of mistakes in the GraphQL request itself, with their meaning. Such a request reads and changes nothing. Most
 * of the codes come from Apollo Server. `docs/reference/errors.md` is generated from this table.
 */
export const GRAPHQL_REQUEST_CODES: Readonly<Record<string, string>> = {
  BAD_REQUEST: 'The request is not valid in GraphQL over HTTP, for example a subscription without a WebSocket.',
  BAD_USER_INPUT: 'A variable is missing or has the wrong type.',
  GRAPHQL_PARSE_FAILED: 'The text of the operation cannot be read, or is longer than 2,000 tokens.',
  GRAPHQL_VALIDATION_FAILED: 'The operation asks for something that `schema.graphql` does not have.',
  INTROSPECTION_DISABLED: 'This server does not show its GraphQL schema (`ODST_GRAPHQL_INTROSPECTION=false`).',
  OPERATION_RESOLUTION_FAILURE:
    '`operationName` does not name an operation of the request, or it is missing although there are several operations.',
  PERSISTED_QUERY_NOT_SUPPORTED: 'Send the operation itself, not its hash.',
  QUERY_TOO_DEEP: 'The fields are nested more than 10 levels deep.',
  QUERY_TOO_WIDE:
    'The operation has more than 20 root fields, 100 aliases, 20 directives or 500 fields and fragments, or the request has more than 20 operations. Fragments count as often as they are used.',
  QUERY_TOO_LONG: 'The text of the operation is longer than 20,000 characters.',
  QUERY_TOO_EXPENSIVE: 'The operation may ask for more than 20,000 fields. Ask for fewer rows or fields at a time.',
};
