import type { Client } from 'pg';
import type { DatabaseSettings } from '../../../ports/database.port.js';
import { PgSession } from '../../shared/pg-session.js';

/** The name of a lock that each process holds in shared mode for as long as its session lives. */
const PRESENCE = 'process';

/** A key that differs from those of other users of advisory locks in this database. */
const lockKey = (parameter: string): string => `hashtextextended('odst lock ' || ${parameter}, 0)`;

/**
 * Frees the locks of a machine that has failed within 10 s: after 2 s of silence, the server sends three probes.
 * This has no effect on a Unix socket, whose other end cannot fail without notice.
 */
const KEEPALIVE_SQL = `
SELECT set_config('tcp_keepalives_idle', '2', false), set_config('tcp_keepalives_interval', '1', false),
       set_config('tcp_keepalives_count', '3', false), set_config('tcp_user_timeout', '5000', false)`;

/** Prepares a new session, by which other processes see that this one is alive. */
async function beginSession(session: Client): Promise<void> {
  await session.query(KEEPALIVE_SQL);
  await session.query(`SELECT pg_advisory_lock_shared(${lockKey('$1')})`, [PRESENCE]);
}

/** Takes those of the locks that are free, and returns their names. */
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

/** pg_locks shows a 64-bit key in two halves. */
const OTHER_PROCESSES_SQL = `
SELECT count(*)::int AS others FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted AND l.pid <> pg_backend_pid()
  AND (l.classid::bigint << 32) + l.objid::bigint = ${lockKey('$1')}`;

/** The number of other living processes. */
export async function countOtherProcesses(session: Client): Promise<number> {
  const { rows } = await session.query<{ others: number }>(OTHER_PROCESSES_SQL, [PRESENCE]);
  return rows[0]?.others ?? 0;
}

/** If a query takes longer, the database cannot be reached any more. */
const QUERY_TIMEOUT_MS = 4_000;

/**
 * The session that holds all locks of this process. A failed query ends it, and the next one opens a new one.
 * `onLost` is called when it has ended, and all locks are lost with it.
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
