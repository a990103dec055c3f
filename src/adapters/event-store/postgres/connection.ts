import { DatabaseError, Pool, type PoolConfig } from 'pg';
import { isTemporarySqlState } from '../../../kernel/errors.js';
import type { DatabaseSettings } from '../../../ports/database.port.js';
import { UNAVAILABLE_TIMEOUT_MS, retryWhileUnavailable as persistently } from '../../shared/retry-while-unavailable.js';

/** True when the same call may succeed when the database is back. */
export function isTemporary(error: unknown): boolean {
  if (error instanceof DatabaseError) return isTemporarySqlState(error.code ?? '');
  return error instanceof Error && !(error instanceof TypeError) && !(error instanceof RangeError);
}

/** Repeats a call that does no harm when repeated. @throws EventStoreUnavailable after 10 s; other errors at once */
export const retryWhileUnavailable = <T>(call: () => Promise<T>, stopped: AbortSignal): Promise<T> =>
  persistently(call, isTemporary, stopped);

/**
 * Settings of each session. Appends are durable when they are answered, and each statement of `log.append` sees all
 * earlier commits. The log is read by its indexes: prepared plans, which guess the size of a range, would sort instead.
 */
const SESSION = [
  'synchronous_commit=on',
  'default_transaction_isolation=read\\ committed',
  'enable_seqscan=off',
  'enable_bitmapscan=off',
];

export function makePool(settings: DatabaseSettings, name: string, max: number): Pool {
  const limits = {
    connectionTimeoutMillis: 5000,
    query_timeout: UNAVAILABLE_TIMEOUT_MS,
    idleTimeoutMillis: 0,
    keepAlive: true,
  };
  const options = SESSION.map((setting) => `-c ${setting}`).join(' ');
  const config: PoolConfig = { ...settings, ...limits, max, application_name: `odst ${name}`, options };
  const pool = new Pool(config);
  // Without a listener, the loss of an idle connection would end the process. The next call opens a new one.
  pool.on('error', () => undefined);
  return pool;
}
