import { HttpException } from '@nestjs/common';
import { QueryFailedError } from 'typeorm';
import { Refusal } from '../../../kernel/errors.js';
import { EventStoreUnavailable } from '../../../ports/event-store.port.js';
import { JobQueueUnavailable } from '../../../ports/job-queue.port.js';
import { StorageFull } from '../../../ports/package-storage.port.js';
import { codeOf, statusOf } from './error-codes.js';

/** Connection lost, server going down or coming up (SQLSTATE). */
const UNAVAILABLE_SQLSTATE = /^(08|57P0)/;
const CONNECTION_ERRORS = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT']);
/** What pg says without a code. */
const PG_MESSAGES = /^(Connection terminated|timeout exceeded when trying to connect)/;

/** Did a query fail for want of a database, so that it is worth another try later? */
export function isDatabaseUnavailable(error: unknown): boolean {
  const cause = error instanceof QueryFailedError ? error.driverError : error;
  if (!(cause instanceof Error)) return false;
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  // Of a file that is missing, a connect to the database's socket is the one that tells of the database.
  const noSocket = code === 'ENOENT' && 'syscall' in cause && cause.syscall === 'connect';
  return noSocket || UNAVAILABLE_SQLSTATE.test(code) || CONNECTION_ERRORS.has(code) || PG_MESSAGES.test(cause.message);
}

/** What a caller may know of an error: the body of every error reply, and its HTTP status. */
export interface PublicError {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

/** Seconds after which it is worth asking again, for `Retry-After` (RFC 9110, 10.2.3); null where nobody knows. */
export function retryAfterOf({ details }: Pick<PublicError, 'details'>): number | null {
  const seconds = details?.['retryAfterSeconds'];
  return typeof seconds === 'number' ? seconds : null;
}

const LOG_UNAVAILABLE = 'The server cannot record changes right now. Try again soon.';
const QUEUE_UNAVAILABLE = 'The job queue cannot be reached right now. Try again soon.';
const DATABASE_UNAVAILABLE = 'The database cannot be reached right now. Try again soon.';

/** An expected error as callers see it, null for one that nobody expected. */
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

/** Errors of Nest and of body parsers carry a status; their messages for 4xx are meant for the caller. */
function errorFromStatus(error: unknown): PublicError | null {
  if (!(error instanceof Error)) return null;
  const status = error instanceof HttpException ? error.getStatus() : 'statusCode' in error ? error.statusCode : null;
  if (typeof status !== 'number' || status < 400 || status > 499) return null;
  return { status, code: codeOf(status), message: error.message };
}

/** For everything else: nothing but a number under which the log has the cause. */
export const internalError = (correlationId: string): PublicError => ({
  status: 500,
  code: 'INTERNAL',
  message: `Something went wrong in the server. Its log says more under ${correlationId}.`,
  details: { correlationId },
});
