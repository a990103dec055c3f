import type { EntityManager } from 'typeorm';
import type { AuditEntryEntity } from './audit-entry.entity.js';

interface Label {
  readonly id: string;
  readonly label: string;
}

async function readKnownLabels(tx: EntityManager, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const labels: Label[] = await tx.query(
    `SELECT ids.id, named.target_label AS label FROM unnest($1::text[]) AS ids(id), LATERAL (
       SELECT target_label FROM audit_entries
       WHERE target_id = ids.id AND target_label IS NOT NULL ORDER BY seq LIMIT 1) AS named`,
    [ids],
  );
  return new Map(labels.map(({ id, label }) => [id, label]));
}

/**
 * Gives entries about packages their filename, which only some events carry. It never changes, so it doesn't matter
 * from which entry it is taken, and entries written before it was known get it too.
 */
export async function labelPackages(tx: EntityManager, rows: readonly AuditEntryEntity[]): Promise<AuditEntryEntity[]> {
  const ofPackages = rows.filter((row) => row.targetType === 'PACKAGE');
  const named = new Map(
    ofPackages.flatMap((row) => (row.targetLabel === null ? [] : [[row.targetId, row.targetLabel]])),
  );
  const unnamed = new Set(ofPackages.filter((row) => !named.has(row.targetId)).map((row) => row.targetId));
  const earlier = await readKnownLabels(tx, [...unnamed]);
  await labelEarlierEntries(
    tx,
    ofPackages.filter((row) => row.kind === 'PackagePublished'),
  );
  return rows.map((row) => ({
    ...row,
    targetLabel: row.targetLabel ?? named.get(row.targetId) ?? earlier.get(row.targetId) ?? null,
  }));
}

async function labelEarlierEntries(tx: EntityManager, publications: readonly AuditEntryEntity[]): Promise<void> {
  if (publications.length === 0) return;
  await tx.query(
    `UPDATE audit_entries SET target_label = named.label
     FROM unnest($1::text[], $2::text[]) AS named(id, label)
     WHERE target_id = named.id AND target_label IS NULL AND target_type = 'PACKAGE'`,
    [publications.map((row) => row.targetId), publications.map((row) => row.targetLabel)],
  );
}
