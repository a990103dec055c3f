import { Logger } from '@nestjs/common';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { PeerUnreachable } from '../../ports/peer-transport.port.js';
import { currentContext } from '../context/call-context.js';
import { expectedError, internalError, type PublicError } from '../http/errors/public-error.js';

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
 * An error as clients see it: a Refusal under its code, a mistake in the request as GraphQL words it, and for anything
 * else just a number under which the log has the cause.
 */
export function formatGraphqlError(error: GraphQLError): GraphQLFormattedError {
  const { locations, path } = error;
  const place = { ...(locations && { locations }), ...(path && { path }) };
  const { originalError } = error;
  // Apollo wraps mistakes that it found in the request in errors with a code of its own.
  const ownCode = originalError instanceof GraphQLError ? originalError.extensions['code'] : undefined;
  if (!originalError || typeof error.extensions['code'] === 'string') {
    const code = ownCode ?? error.extensions['code'] ?? 'GRAPHQL_VALIDATION_FAILED';
    return { message: error.message, ...place, extensions: { code } };
  }
  const { code, message, details } = toPublicError(originalError);
  return { message, ...place, extensions: { code, ...(details && { details }) } };
}
