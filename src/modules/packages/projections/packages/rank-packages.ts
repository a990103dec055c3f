import type { EntityManager } from 'typeorm';
import { STAGES } from '../../../../kernel/stage.js';

/**
 * Sets the state of packages: of those with one filename that could be served, the one published last is. Looks at
 * all packages of the given filenames, or at all when the stage we serve has changed. Returns the ids that changed.
 */
export async function rankPackages(tx: EntityManager, filenames: readonly string[] | null): Promise<readonly string[]> {
  const rows: { id: string }[] = await tx.query(
    `WITH serving AS (
       SELECT coalesce(max(array_position($2::text[], stage)), 1) AS lowest FROM serving_stage
     ), judged AS (
       SELECT id, filename, publication, held, fetching,
              coalesce(removal > publication, false) AS removed,
              array_position($2::text[], stage) >= lowest AS reaches
       FROM packages, serving WHERE $1::text[] IS NULL OR filename = ANY ($1::text[])
     ), ranked AS (
       SELECT *, row_number() OVER (
         PARTITION BY filename, held AND reaches AND NOT removed ORDER BY publication DESC, id DESC) AS rank
       FROM judged
     ), stated AS (
       SELECT id, CASE
         WHEN removed THEN 'REMOVED'
         WHEN held AND NOT reaches THEN 'WITHHELD'
         WHEN held AND rank = 1 THEN 'AVAILABLE'
         WHEN held THEN 'SUPERSEDED'
         WHEN fetching = 'REQUESTED' THEN 'REPLICATING'
         WHEN fetching IN ('DAMAGED', 'FAILED') THEN fetching
         ELSE 'ANNOUNCED' END AS state
       FROM ranked
     ), changed AS (
       UPDATE packages SET state = stated.state FROM stated
       WHERE packages.id = stated.id AND packages.state <> stated.state RETURNING packages.id
     ) SELECT id FROM changed`,
    [filenames, STAGES],
  );
  return rows.map((row) => row.id);
}
