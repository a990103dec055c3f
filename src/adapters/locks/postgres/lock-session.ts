import type { Client } from 'pg';
import type { DatabaseSettings } from '../../../ports/database.port.js';
import { PgSession } from '../../shared/pg-session.js';

/** Held in shared mode by each process for as long as its session lives. */
const PRESENCE = 'process';

/** Keys of their own, apart from other users of advisory locks in this database. */
const lockKey = (parameter: string): string => `hashtextextended('odst lock ' || ${parameter}, 0)`;

/**
 * So that the locks of a machine that is gone are free within 10 s: the server looks after 2 s of silence, three times.
 * Without effect on a Unix socket, whose other end can't be gone in silence.
 */
const KEEPALIVE_SQL = `
SELECT set_config('tcp_keepalives_idle', '2', false), set_config('tcp_keepalives_interval', '1', false),
       set_config('tcp_keepalives_count', '3', false), set_config('tcp_user_timeout', '5000', false)`;

/** Makes a new session one that others see as a living process. */
async function beginSession(session: Client): Promise<void> {
  await session.query(KEEPALIVE_SQL);
  await session.query(`SELECT pg_advisory_lock_shared(${lockKey('$1')})`, [PRESENCE]);
}

/** Takes those of the locks that are free; the names of these. */
export async function takeFreeLocks(session: Client, names: readonly string[]): Promise<readonly string[]> {
  const { rows } = await session.query<{ name: string }>(
    `SELECT name FROM unnest($1::text[]) name WHERE pg_try_advisory_lock(${lockKey('name')})`,
    [names],
  );
  return rows.map(({ name }) => name);
}

export async function releaseLock(session: Client, name: string): Promise<void> {
  await session.query(`SELECT pg_advisory_unlock(${lockKey('$1')})`, [name]);
}

/** A 64-bit key stands in pg_locks in two halves. */
const OTHER_PROCESSES_SQL = `
SELECT count(*)::int AS others FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted AND l.pid <> pg_backend_pid()
  AND (l.classid::bigint << 32) + l.objid::bigint = ${lockKey('$1')}`;

/** How many other processes live. */
export async function countOtherProcesses(session: Client): Promise<number> {
  const { rows } = await session.query<{ others: number }>(OTHER_PROCESSES_SQL, [PRESENCE]);
  return rows[0]?.others ?? 0;
}

/** A query that takes longer means that the database, or the way to it, is gone. */
const QUERY_TIMEOUT_MS = 4_000;

/**
 * The one session that holds the locks of this process. A failed query ends it, and the next one makes it anew.
 * `onLost` is called when it has ended: nothing is held any longer.
 */
export const makeLockSession = (settings: DatabaseSettings, onLost: () => void): PgSession =>
  new PgSession(settings, {
    name: 'odst locks',
    connectTimeoutMs: QUERY_TIMEOUT_MS,
    queryTimeoutMs: QUERY_TIMEOUT_MS,
    endsOnError: true,
    prepare: beginSession,
    onLost,
  });
