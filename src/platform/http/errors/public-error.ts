import { HttpException } from '@nestjs/common';
import { QueryFailedError } from 'typeorm';
import { Refusal } from '../../../kernel/errors.js';
import { EventStoreUnavailable } from '../../../ports/event-store.port.js';
import { JobQueueUnavailable } from '../../../ports/job-queue.port.js';
import { StorageFull } from '../../../ports/package-storage.port.js';
import { codeOf, statusOf } from './error-codes.js';

/** SQLSTATE codes that mean a lost connection, or a database that is stopping or starting. */
const UNAVAILABLE_SQLSTATE = /^(08|57P0)/;
const CONNECTION_ERRORS = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT']);
/** Messages of `pg` errors that have no code. */
const PG_MESSAGES = /^(Connection terminated|timeout exceeded when trying to connect)/;

/** True when an error means that the database cannot be reached, so that a later attempt may succeed. */
export function isDatabaseUnavailable(error: unknown): boolean {
  const cause = error instanceof QueryFailedError ? error.driverError : error;
  if (!(cause instanceof Error)) return false;
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  // ENOENT concerns the database only when the socket file of the database is missing.
  const noSocket = code === 'ENOENT' && 'syscall' in cause && cause.syscall === 'connect';
  return noSocket || UNAVAILABLE_SQLSTATE.test(code) || CONNECTION_ERRORS.has(code) || PG_MESSAGES.test(cause.message);
}

/** The part of an error that a caller may know: the body of every error response, and its HTTP status. */
export interface PublicError {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

/** Returns the seconds to wait before the next attempt (`Retry-After`; RFC 9110, 10.2.3), or null when not known. */
export function retryAfterOf({ details }: Pick<PublicError, 'details'>): number | null {
  const seconds = details?.['retryAfterSeconds'];
  return typeof seconds === 'number' ? seconds : null;
}

const LOG_UNAVAILABLE = 'The server cannot record changes right now. Try again soon.';
const QUEUE_UNAVAILABLE = 'The job queue cannot be reached right now. Try again soon.';
const DATABASE_UNAVAILABLE = 'The database cannot be reached right now. Try again soon.';

/** Returns what callers may know about an expected error, or null when the error is unexpected. */
export function expectedError(error: unknown): PublicError | null {
  if (error instanceof Refusal) {
    const { code, message, details } = error;
    return { status: statusOf(code), code, message, ...(Object.keys(details).length > 0 && { details }) };
  }
  if (error instanceof StorageFull) return { status: 507, code: 'INSUFFICIENT_STORAGE', message: error.message };
  if (error instanceof EventStoreUnavailable) return { status: 503, code: 'UNAVAILABLE', message: LOG_UNAVAILABLE };
  if (error instanceof JobQueueUnavailable) return { status: 503, code: 'UNAVAILABLE', message: QUEUE_UNAVAILABLE };
  if (isDatabaseUnavailable(error)) return { status: 503, code: 'UNAVAILABLE', message: DATABASE_UNAVAILABLE };
  return errorFromStatus(error);
}

/** Errors of Nest and of body parsers have a status. Their messages are meant for the caller when it is 4xx. */
function errorFromStatus(error: unknown): PublicError | null {
  if (!(error instanceof Error)) return null;
  const status = error instanceof HttpException ? error.getStatus() : 'statusCode' in error ? error.statusCode : null;
  if (typeof status !== 'number' || status < 400 || status > 499) return null;
  return { status, code: codeOf(status), message: error.message };
}

/**
 * Returns the public form of an unexpected error. It contains only the correlation id with which the log names the
 * cause.
 */
export const internalError = (correlationId: string): PublicError => ({
  status: 500,
  code: 'INTERNAL',
  message: `Something went wrong in the server. Its log says more under ${correlationId}.`,
  details: { correlationId },
});
