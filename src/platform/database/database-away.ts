import { QueryFailedError } from 'typeorm';

/** Connection lost, server going down or coming up (SQLSTATE). */
const AWAY = /^(08|57P0)/;
const CONNECTION_LOST = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT']);
/** What pg says without a code. */
const TOLD_BY_PG = /^(Connection terminated|timeout exceeded when trying to connect)/;

/** Did a query fail for want of a database, so that it is worth another try later? */
export function isDatabaseAway(error: unknown): boolean {
  const cause = error instanceof QueryFailedError ? error.driverError : error;
  if (!(cause instanceof Error)) return false;
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  // Of a file that is missing, a connect to the database's socket is the one that tells of the database.
  const noSocket = code === 'ENOENT' && 'syscall' in cause && cause.syscall === 'connect';
  return noSocket || AWAY.test(code) || CONNECTION_LOST.has(code) || TOLD_BY_PG.test(cause.message);
}
