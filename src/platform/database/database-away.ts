import { QueryFailedError } from 'typeorm';

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
