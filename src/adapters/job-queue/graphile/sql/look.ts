import type { Pool } from 'pg';
import type { FailedJob, JobAtWork } from '../../../../ports/job-queue.port.js';
import { MARK } from './mark.js';
import { attemptOf } from './postpone.js';

const RUNNING = `
SELECT t.identifier AS name, j.key, j.attempts AS column, coalesce((j.flags->>'progress')::float8, 0) AS progress
FROM graphile_worker._private_jobs j JOIN graphile_worker._private_tasks t ON t.id = j.task_id
WHERE j.locked_at IS NOT NULL ORDER BY j.id`;

/** A running job that was replaced has lost its key. */
export async function runningJobs(pool: Pool): Promise<JobAtWork[]> {
  const { rows } = await pool.query<{ name: string; key: string | null; column: number; progress: number }>(RUNNING);
  return rows.map(({ name, key, column, progress }) => ({
    name,
    key: key ?? '',
    attempt: attemptOf(column),
    progress,
  }));
}

const FAILED = `
SELECT t.identifier AS name, j.key, coalesce(j.last_error, '') AS reason,
       coalesce((j.flags->>'attempts')::int, 0) AS attempts,
       coalesce((j.flags->>'failedAt')::timestamptz, j.updated_at) AS "failedAt"
FROM graphile_worker._private_jobs j JOIN graphile_worker._private_tasks t ON t.id = j.task_id
WHERE j.locked_at IS NULL AND j.attempts >= j.max_attempts AND j.key <> '${MARK}'
ORDER BY "failedAt" DESC, j.id DESC LIMIT $1`;

export async function failedJobs(pool: Pool, first: number): Promise<FailedJob[]> {
  const { rows } = await pool.query<FailedJob>(FAILED, [first]);
  return rows;
}

const PROGRESS = `
UPDATE graphile_worker._private_jobs SET flags = jsonb_build_object('progress', $2::float8)
WHERE id = $1 AND locked_at IS NOT NULL AND attempts < max_attempts`;

export async function saveProgress(pool: Pool, id: string, fraction: number): Promise<void> {
  await pool.query(PROGRESS, [id, fraction]);
}
