import type { EntityManager } from 'typeorm';
import type { Projection } from '../projection.js';

/** Somebody else moved the checkpoint (a rebuild was switched in): read it again and go on from there. */
export class CheckpointMoved extends Error {}

/** The cursor up to which the projection's tables are complete; null at the beginning. Makes the row when missing. */
export async function loadCheckpoint(tx: EntityManager, projection: Projection): Promise<string | null> {
  await tx.query('INSERT INTO checkpoints (projection, version) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
    projection.name,
    projection.version,
  ]);
  const rows: { cursor: string | null }[] = await tx.query('SELECT cursor FROM checkpoints WHERE projection = $1', [
    projection.name,
  ]);
  return rows[0]?.cursor ?? null;
}

/**
 * Moves the checkpoint from the value we know to a new one, within the caller's transaction. That transaction need
 * not wait for the disk: tables and checkpoint are lost or kept together, and the log has everything.
 */
export async function moveCheckpoint(
  tx: EntityManager,
  projection: Projection,
  from: string | null,
  to: string,
): Promise<void> {
  const moved: [unknown[], number] = await tx.query(
    `UPDATE checkpoints SET cursor = $3 WHERE projection = $1 AND cursor IS NOT DISTINCT FROM $2
     RETURNING set_config('synchronous_commit', 'off', true)`,
    [projection.name, from, to],
  );
  if (moved[1] !== 1) throw new CheckpointMoved(`The checkpoint of ${projection.name} is no longer at ${from}`);
}
