import type { Pool } from 'pg';
import { DEFAULT_PRIORITY, type NewJob } from '../../../../ports/job-queue.port.js';

/** More than any handler's tries: when a job gives up is decided here, not by Graphile Worker. */
const MAX_ATTEMPTS = 30_000;

/**
 * add_jobs replaces a waiting job of the same key, and makes a new one beside a running one, which then has no key any
 * more.
 */
const ADD_JOBS = `
SELECT count(*) FROM graphile_worker.add_jobs(ARRAY(
  SELECT (name, payload, NULL, run_at, ${MAX_ATTEMPTS}, key, priority, NULL)::graphile_worker.job_spec
  FROM json_to_recordset($1::json) AS j(name text, payload json, run_at timestamptz, key text, priority int)
))`;

/** Stores the jobs in one transaction; of several with one key the last. */
export async function insertJobs(pool: Pool, jobs: readonly NewJob[]): Promise<void> {
  const latest = new Map(jobs.map((job) => [job.key, job]));
  const specs = [...latest.values()].map(({ name, key, data, cause, runAt, priority = DEFAULT_PRIORITY }) => {
    return { name, key, payload: { data, cause }, run_at: runAt ?? null, priority };
  });
  await pool.query({ name: 'enqueue', text: ADD_JOBS, values: [JSON.stringify(specs)] });
}
