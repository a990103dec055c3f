import type { Pool } from 'pg';

export const MARK = 'odst:mark';

/** A job that has used up its tries: no worker takes it. */
const INSERT_MARK = `
WITH task AS (
  INSERT INTO graphile_worker._private_tasks (identifier) VALUES ('${MARK}')
  ON CONFLICT (identifier) DO UPDATE SET identifier = excluded.identifier RETURNING id
)
INSERT INTO graphile_worker._private_jobs (task_id, payload, key, attempts, max_attempts)
SELECT id, '{}', '${MARK}', 1, 1 FROM task
ON CONFLICT (key) DO NOTHING`;

const FIND_MARK = `SELECT FROM graphile_worker._private_jobs WHERE key = '${MARK}'`;

/** Leaves a row that lasts as long as the queue's. False when there was none. */
export async function leaveMark(pool: Pool): Promise<boolean> {
  const { rowCount } = await pool.query(FIND_MARK);
  if (rowCount === 1) return true;
  return (await pool.query(INSERT_MARK)).rowCount === 0;
}
