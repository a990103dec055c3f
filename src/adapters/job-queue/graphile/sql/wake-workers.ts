import type { Pool } from 'pg';

/** Graphile Worker's own notification, by which it wakes as many idle workers as `count` says. */
const WAKE_WORKERS = `
WITH waiting AS (SELECT run_at FROM graphile_worker._private_jobs WHERE is_available),
due AS (SELECT count(*) AS count FROM waiting WHERE run_at <= now()),
told AS (SELECT pg_notify('jobs:insert', json_build_object('r', random(), 'count', count)::text) FROM due WHERE count > 0)
SELECT count(told) AS told, (SELECT extract(epoch FROM min(run_at) - now()) * 1000 FROM waiting WHERE run_at > now())::float8 AS next
FROM told`;

/** Wakes workers for the jobs that are due. Milliseconds until the next one will be, null when there is none. */
export async function wakeWorkers(pool: Pool): Promise<number | null> {
  const { rows } = await pool.query<{ next: number | null }>(WAKE_WORKERS);
  return rows[0]?.next ?? null;
}
