import type { Pool } from 'pg';
import {
  DEFAULT_PRIORITY,
  type FailedJob,
  type JobAtWork,
  type NewJob,
  type QueueCounts,
} from '../../../ports/job-queue.port.js';

/** More attempts than any handler allows: this adapter decides when to stop, not Graphile Worker. */
const MAX_ATTEMPTS = 30_000;

/**
 * add_jobs replaces a waiting job of the same key. Beside a running one it creates a new job, and the running one loses
 * its key.
 */
const ADD_JOBS = `
SELECT count(*) FROM graphile_worker.add_jobs(ARRAY(
  SELECT (name, payload, NULL, run_at, ${MAX_ATTEMPTS}, key, priority, NULL)::graphile_worker.job_spec
  FROM json_to_recordset($1::json) AS j(name text, payload json, run_at timestamptz, key text, priority int)
))`;

/** Stores the jobs in one transaction. Of several jobs with one key, it stores the last. */
export async function insertJobs(pool: Pool, jobs: readonly NewJob[]): Promise<void> {
  const latest = new Map(jobs.map((job) => [job.key, job]));
  const specs = [...latest.values()].map(({ name, key, data, cause, runAt, priority = DEFAULT_PRIORITY }) => {
    return { name, key, payload: { data, cause }, run_at: runAt ?? null, priority };
  });
  await pool.query({ name: 'enqueue', text: ADD_JOBS, values: [JSON.stringify(specs)] });
}

/**
 * Graphile Worker delays a job that has failed by e^attempts seconds, which becomes hours. The adapter counts from far
 * below zero, so that this delay is practically zero and only `run_at` decides. Below this value, exp() of PostgreSQL
 * fails with an underflow.
 */
const FIRST_STORED_ATTEMPT = -700;
const MAX_STORED_ATTEMPT = -20;

/** Returns the number of an attempt from the column that Graphile Worker increments at each start of the job. */
export const attemptOf = (column: number): number => (column > 0 ? column : column - FIRST_STORED_ATTEMPT);

const POSTPONE = `
UPDATE graphile_worker._private_jobs SET attempts = $3, flags = NULL, run_at = now() + $4 * interval '1 millisecond'
WHERE id = $1 AND key = $2`;

const GIVE_UP = `
UPDATE graphile_worker._private_jobs
SET attempts = max_attempts, last_error = $4, flags = jsonb_build_object('attempts', $3::int, 'failedAt', now())
WHERE id = $1 AND key = $2`;

interface JobRow {
  readonly id: string;
  readonly key: string | null;
}

/** Sets when the running job runs again after this attempt. Resolves with false when a newer job has replaced it. */
export async function postponeJob(pool: Pool, { id, key }: JobRow, attempt: number, delayMs: number): Promise<boolean> {
  const { rowCount } = await pool.query(POSTPONE, [
    id,
    key,
    Math.min(MAX_STORED_ATTEMPT, FIRST_STORED_ATTEMPT + attempt),
    delayMs,
  ]);
  return rowCount === 1;
}

/** Keeps the running job as failed. Resolves with false when a newer job of its key has replaced it. */
export async function abandonJob(pool: Pool, { id, key }: JobRow, attempts: number, reason: string): Promise<boolean> {
  const { rowCount } = await pool.query(GIVE_UP, [id, key, attempts, reason.replaceAll('\0', '')]);
  return rowCount === 1;
}

/** Key of the row that `leaveMark` leaves. */
export const MARK = 'odst:mark';

/** A job without attempts left: no worker takes it. */
const INSERT_MARK = `
WITH task AS (
  INSERT INTO graphile_worker._private_tasks (identifier) VALUES ('${MARK}')
  ON CONFLICT (identifier) DO UPDATE SET identifier = excluded.identifier RETURNING id
)
INSERT INTO graphile_worker._private_jobs (task_id, payload, key, attempts, max_attempts)
SELECT id, '{}', '${MARK}', 1, 1 FROM task
ON CONFLICT (key) DO NOTHING`;

const FIND_MARK = `SELECT FROM graphile_worker._private_jobs WHERE key = '${MARK}'`;

/** Leaves a row that lasts as long as the rows of the jobs. Resolves with false when there was none. */
export async function leaveMark(pool: Pool): Promise<boolean> {
  const { rowCount } = await pool.query(FIND_MARK);
  if (rowCount === 1) return true;
  return (await pool.query(INSERT_MARK)).rowCount === 0;
}

const RUNNING = `
SELECT t.identifier AS name, j.key, j.attempts AS column, coalesce((j.flags->>'progress')::float8, 0) AS progress
FROM graphile_worker._private_jobs j JOIN graphile_worker._private_tasks t ON t.id = j.task_id
WHERE j.locked_at IS NOT NULL ORDER BY j.id`;

/** Lists the jobs that any process runs now. One that was replaced has an empty key. */
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

/** Lists the latest failed jobs, the last one first. */
export async function failedJobs(pool: Pool, first: number): Promise<FailedJob[]> {
  const { rows } = await pool.query<FailedJob>(FAILED, [first]);
  return rows;
}

const PROGRESS = `
UPDATE graphile_worker._private_jobs SET flags = jsonb_build_object('progress', $2::float8)
WHERE id = $1 AND locked_at IS NOT NULL AND attempts < max_attempts`;

/** Stores how much of a running job is done, from 0 to 1. */
export async function saveProgress(pool: Pool, id: string, fraction: number): Promise<void> {
  await pool.query(PROGRESS, [id, fraction]);
}

/** A job without a key was replaced by a newer one: it has ended, or it runs for the last time. */
const COUNTS = `
SELECT count(*) FILTER (WHERE locked_at IS NULL AND attempts < max_attempts)::int AS waiting,
       count(*) FILTER (WHERE locked_at IS NULL AND attempts < max_attempts AND run_at <= now())::int AS due,
       count(*) FILTER (WHERE locked_at IS NOT NULL)::int AS running,
       count(*) FILTER (WHERE locked_at IS NULL AND attempts >= max_attempts AND key <> '${MARK}')::int AS stuck
FROM graphile_worker._private_jobs`;

/** Counts the jobs by state. */
export async function countJobs(pool: Pool): Promise<QueueCounts> {
  const { rows } = await pool.query<QueueCounts>(COUNTS);
  return rows[0] ?? { waiting: 0, due: 0, running: 0, stuck: 0 };
}
