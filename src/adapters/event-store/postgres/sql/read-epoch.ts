import type { Pool } from 'pg';

/**
 * The epoch belongs to the log and the database it lives in: one that was restored into another database may go on
 * differently from the one that it is a copy of, so it gets an epoch of its own.
 */
const EPOCH_SQL = `
INSERT INTO log.epoch (home)
SELECT c.system_identifier || '/' || d.oid FROM pg_control_system() c, pg_database d WHERE d.datname = current_database()
ON CONFLICT (one) DO UPDATE SET home = excluded.home,
  id = CASE WHEN epoch.home = excluded.home THEN epoch.id ELSE excluded.id END
RETURNING id`;

export async function readEpoch(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ id: string }>(EPOCH_SQL);
  const id = rows[0]?.id;
  if (!id) throw new Error('The event log has no epoch');
  return id;
}
