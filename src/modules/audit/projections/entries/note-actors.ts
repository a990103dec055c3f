import type { EntityManager } from 'typeorm';
import type { AuditEntryEntity } from './audit-entry.entity.js';

/** Who has done something, by id and name: few rows, by which entries of a name are found without reading them all. */
export async function noteActors(
  tx: EntityManager,
  rows: readonly Pick<AuditEntryEntity, 'actorId' | 'actorName'>[],
): Promise<void> {
  const known = new Map(rows.map(({ actorId, actorName }) => [`${actorId}\n${actorName}`, { actorId, actorName }]));
  const actors = [...known.values()];
  if (actors.length === 0) return;
  await tx.query(
    `INSERT INTO audit_actors (actor_id, name) SELECT DISTINCT id, lower(name) FROM unnest($1::text[], $2::text[]) AS a (id, name)
     ON CONFLICT DO NOTHING`,
    [actors.map(({ actorId }) => actorId), actors.map(({ actorName }) => actorName)],
  );
}
