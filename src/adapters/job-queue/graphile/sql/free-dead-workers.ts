import type { Client } from 'pg';
import { KEPT_FAILED } from '../../../../ports/job-queue.port.js';
import { MARK } from './mark.js';

/** "odst" as a number: the first half of the lock keys by which live workers are known. */
const LOCK_CLASS = 1_868_854_132;

/** Marks workers as alive for as long as this session lives. */
export async function markAlive(session: Client, workers: readonly string[]): Promise<void> {
  await session.query('SELECT pg_advisory_lock_shared($1, hashtext(w)) FROM unnest($2::text[]) w', [
    LOCK_CLASS,
    workers,
  ]);
}

const UNLOCK_JOBS = `
SELECT graphile_worker.force_unlock_workers(array_agg(DISTINCT j.locked_by))
FROM graphile_worker._private_jobs j
WHERE j.locked_by <> ALL ($2::text[]) AND NOT EXISTS (
  SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
  WHERE l.locktype = 'advisory' AND d.datname = current_database()
    AND l.classid::bigint = $1 AND l.objid::bigint = hashtext(j.locked_by)::bigint & 4294967295)`;

/** Replaced while they ran, by a worker that died. */
const DELETE_REPLACED = 'DELETE FROM graphile_worker._private_jobs WHERE key IS NULL AND locked_at IS NULL';

/** Failed jobs that are too old, or too many. */
const DELETE_OLD_FAILED = `
DELETE FROM graphile_worker._private_jobs WHERE id IN (
  SELECT id FROM (
    SELECT id, flags->>'failedAt' AS failed_at, row_number() OVER (ORDER BY flags->>'failedAt' DESC) AS place
    FROM graphile_worker._private_jobs
    WHERE locked_at IS NULL AND attempts >= max_attempts AND key <> '${MARK}'
  ) failed
  WHERE place > ${KEPT_FAILED.jobs} OR failed_at::timestamptz < now() - interval '${KEPT_FAILED.days} days')`;

/** Frees the jobs of workers that are gone without a word; Graphile Worker itself would wait for 4 hours. */
export async function freeDeadWorkers(session: Client, own: readonly string[]): Promise<void> {
  await session.query(UNLOCK_JOBS, [LOCK_CLASS, own]);
  await session.query(DELETE_REPLACED);
  await session.query(DELETE_OLD_FAILED);
}
