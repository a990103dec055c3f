import type { Pool } from 'pg';

/**
 * Graphile Worker puts a job that threw off by e^attempts seconds, hours in the end. Counting from far below zero
 * makes that nothing, so that `run_at` alone says when; further down, PostgreSQL's exp() fails with an underflow.
 */
const FIRST_STORED_ATTEMPT = -700;
const MAX_STORED_ATTEMPT = -20;

/** The number of a try, from the column that Graphile Worker counts up at each start of the job. */
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

/** When the running job is tried again after its try `attempt`. False: a newer job of its key has replaced it. */
export async function postponeJob(pool: Pool, { id, key }: JobRow, attempt: number, delayMs: number): Promise<boolean> {
  const { rowCount } = await pool.query(POSTPONE, [
    id,
    key,
    Math.min(MAX_STORED_ATTEMPT, FIRST_STORED_ATTEMPT + attempt),
    delayMs,
  ]);
  return rowCount === 1;
}

/** The running job is not tried again and stays, to be seen. False: a newer job of its key has replaced it. */
export async function abandonJob(pool: Pool, { id, key }: JobRow, attempts: number, reason: string): Promise<boolean> {
  const { rowCount } = await pool.query(GIVE_UP, [id, key, attempts, reason.replaceAll('\0', '')]);
  return rowCount === 1;
}
