import type { Pool } from 'pg';
import type { QueueCounts } from '../../../../ports/job-queue.port.js';
import { MARK } from './mark.js';

/** A job without a key was replaced by a newer one: it is over, or runs for the last time. */
const COUNTS = `
SELECT count(*) FILTER (WHERE locked_at IS NULL AND attempts < max_attempts)::int AS waiting,
       count(*) FILTER (WHERE locked_at IS NULL AND attempts < max_attempts AND run_at <= now())::int AS due,
       count(*) FILTER (WHERE locked_at IS NOT NULL)::int AS running,
       count(*) FILTER (WHERE locked_at IS NULL AND attempts >= max_attempts AND key <> '${MARK}')::int AS stuck
FROM graphile_worker._private_jobs`;

export async function countJobs(pool: Pool): Promise<QueueCounts> {
  const { rows } = await pool.query<QueueCounts>(COUNTS);
  return rows[0] ?? { waiting: 0, due: 0, running: 0, stuck: 0 };
}
