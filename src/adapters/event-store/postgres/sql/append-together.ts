import type { Pool } from 'pg';
import { append, type AppendOutcome, type SerializedAppend } from './append.js';

/** Several appends, all of them or none: one that is refused takes back those before it. */
export async function appendTogether(
  pool: Pool,
  group: readonly SerializedAppend[],
): Promise<readonly AppendOutcome[]> {
  const client = await pool.connect();
  let broken = true;
  try {
    await client.query('BEGIN');
    const outcomes = await append(client, group);
    const recorded = outcomes.every(({ outcome }) => outcome === 'appended' || outcome === 'repeated');
    await client.query(recorded ? 'COMMIT' : 'ROLLBACK');
    broken = false;
    return outcomes;
  } finally {
    client.release(broken);
  }
}
