import type { Pool } from 'pg';

/** Id of the event at a position, null when there is none. */
export async function readIdAt(pool: Pool, position: bigint): Promise<string | null> {
  const { rows } = await pool.query<{ id: string }>('SELECT id FROM log.events WHERE position = $1', [
    String(position),
  ]);
  return rows[0]?.id ?? null;
}
