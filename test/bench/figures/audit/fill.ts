import type { DataSource } from 'typeorm';

export const ENTRIES = 1_000_000;
/** So many seconds lie between two entries. */
export const STEP_S = 30;
const BATCH = 50_000;

/**
 * A trail as a large installation has it after a year: much of it is replication, some people do a lot, some hardly
 * anything; one package has very many entries; and much of what somebody did lies far back.
 */
const SQL = `
INSERT INTO audit_entries (seq, event_id, kind, recorded_at, latest, actor_kind, actor_id, actor_name, address, server_id,
  correlation_id, causation_id, target_type, target_id, target_label, summary, details, changes)
SELECT seq, gen_random_uuid(), kind, at, at, CASE WHEN actor < 60 THEN 'system' ELSE 'account' END,
  'actor-' || actor, 'person.' || actor, CASE WHEN actor < 60 THEN NULL ELSE '192.0.2.' || (seq % 250) END,
  '0195bb2c-0000-7000-8000-000000000001', gen_random_uuid(), NULL, 'PACKAGE', 'package-' || target,
  'Some Application ' || target || '.pkg', what || ' Some Application ' || target || '.pkg ' || kind || CASE WHEN seq % 50000 = 7 THEN ' needle' ELSE '' END,
  jsonb_build_object('first', seq % 100, 'count', 64), '[]'
FROM (
  SELECT seq, timestamptz '2026-01-01' + seq * interval '${STEP_S} s' AS at,
    CASE WHEN seq % 10 < 6 THEN 'ChunksVerified' WHEN seq % 10 = 6 THEN 'PackagePublished' WHEN seq % 10 = 7 THEN 'SignedIn'
      WHEN seq % 1000 = 8 THEN 'RoleChanged' WHEN seq < 200000 AND seq % 10 = 8 THEN 'PackageRemoved' ELSE 'PackageStageChanged' END AS kind,
    CASE WHEN seq % 10 < 6 THEN (seq % 3) WHEN seq < 150000 THEN 70 WHEN seq % 100000 = 9 THEN 99 ELSE 60 + (seq % 9) END AS actor,
    CASE WHEN seq % 10 < 1 THEN 0 ELSE 1 + (seq * 7919 % 20000) END AS target,
    CASE WHEN seq % 2 = 0 THEN 'Verified 64 chunks of' ELSE 'Did something with' END AS what
  FROM generate_series($1::bigint, $2::bigint) seq) generated`;

/** Fills the read model with a million entries. */
export async function fillTrail(dataSource: DataSource): Promise<void> {
  for (let from = 1; from <= ENTRIES; from += BATCH) await dataSource.query(SQL, [from, from + BATCH - 1]);
  await dataSource.query(
    `INSERT INTO audit_actors (actor_id, name) SELECT DISTINCT actor_id, lower(actor_name) FROM audit_entries`,
  );
  await dataSource.query('VACUUM ANALYZE audit_entries');
}
