import type { Pool } from 'pg';

/** Position of the last event, 0 in an empty log. */
export async function readHead(pool: Pool): Promise<bigint> {
  const { rows } = await pool.query<{ head: string }>('SELECT coalesce(max(position), 0) AS head FROM log.events');
  return BigInt(rows[0]?.head ?? 0);
}
