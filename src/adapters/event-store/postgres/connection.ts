import { DatabaseError, Pool, type PoolConfig } from 'pg';
import type { DatabaseSettings } from '../../../ports/database.port.js';
import { UNAVAILABLE_TIMEOUT_MS, retryWhileUnavailable as persistently } from '../../shared/retry-while-unavailable.js';

/** Connection lost, server going down or coming up, out of resources, deadlock, failed over to a standby. */
const TEMPORARY = /^(08|53|57P|40|25006|55P03)/;

/** Would the same call work when the database is back? */
export function isTemporary(error: unknown): boolean {
  if (error instanceof DatabaseError) return TEMPORARY.test(error.code ?? '');
  return error instanceof Error && !(error instanceof TypeError) && !(error instanceof RangeError);
}

/** Repeats a call that is harmless to repeat. @throws EventStoreUnavailable after 10 s, or what is not temporary */
export const retryWhileUnavailable = <T>(call: () => Promise<T>, stopped: AbortSignal): Promise<T> =>
  persistently(call, isTemporary, stopped);

/**
 * Appends are durable when they are answered, and each statement of `log.append` sees what was committed before it.
 * The log is read in the order of its indexes: prepared plans, which guess how much lies within a range, would sort.
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
  // Without a listener a connection that is lost while idle would end the process; the next call makes a new one.
  pool.on('error', () => undefined);
  return pool;
}
