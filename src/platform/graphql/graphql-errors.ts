import { Logger } from '@nestjs/common';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { QueryFailedError } from 'typeorm';
import { PeerUnreachable } from '../../ports/peer-transport.port.js';
import { currentContext } from '../context/call-context.js';
import { expectedError, internalError, type PublicError } from '../http/errors/public-error.js';

const logger = new Logger('GraphQL');

const DATABASE_AWAY = /^(08|57P0)/;
const CONNECTION_LOST = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOENT', 'ETIMEDOUT']);

function isDatabaseAway(error: unknown): boolean {
  const cause = error instanceof QueryFailedError ? error.driverError : error;
  if (!(cause instanceof Error)) return false;
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  return DATABASE_AWAY.test(code) || CONNECTION_LOST.has(code) || cause.message.startsWith('Connection terminated');
}

function publicError(error: unknown): PublicError {
  const known = expectedError(error);
  if (known) return known;
  if (error instanceof PeerUnreachable) return { status: 502, code: 'PEER_UNREACHABLE', message: error.message };
  if (isDatabaseAway(error)) {
    return { status: 503, code: 'UNAVAILABLE', message: 'The database cannot be reached right now. Try again soon.' };
  }
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
  const { code, message, details } = publicError(originalError);
  return { message, ...place, extensions: { code, ...(details && { details }) } };
}
