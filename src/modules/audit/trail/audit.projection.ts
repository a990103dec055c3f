import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { foldText } from '../../../kernel/text.js';
import type { RecordedEvent } from '../../../kernel/events.js';
import { AsProjection, type Projection } from '../../../platform/eventsourcing/projection.js';
import { upsertRows } from '../../../platform/eventsourcing/read-tables.js';
import { describedTypes } from '../../../platform/eventsourcing/event-descriptions.js';
import { AuditEntryEntity } from './audit-entry.entity.js';
import {
  describeEvents,
  makeAuditRows,
  subjectOf,
  Subjects,
  type SubjectState,
  type UnlabelledRow,
} from './audit-rows.js';

/** Records the actors by id and name. With these few rows, entries of a name are found without reading all entries. */
async function noteActors(
  tx: EntityManager,
  rows: readonly Pick<AuditEntryEntity, 'actorId' | 'actorName'>[],
): Promise<void> {
  const known = new Map(rows.map(({ actorId, actorName }) => [`${actorId}\n${actorName}`, { actorId, actorName }]));
  const actors = [...known.values()];
  if (actors.length === 0) return;
  await tx.query(
    `INSERT INTO audit_actors (actor_id, name) SELECT DISTINCT id, name FROM unnest($1::text[], $2::text[]) AS a (id, name)
     ON CONFLICT DO NOTHING`,
    [actors.map(({ actorId }) => actorId), actors.map(({ actorName }) => foldText(String(actorName)))],
  );
}

/** Loads the known facts about these subjects. */
async function loadSubjects(tx: EntityManager, ids: readonly string[]): Promise<Subjects> {
  const rows: { subject: string; state: SubjectState }[] = await tx.query(
    'SELECT subject, state FROM audit_subjects WHERE subject = ANY ($1)',
    [[...new Set(ids)]],
  );
  return new Subjects(new Map(rows.map(({ subject, state }) => [subject, state])));
}

async function saveSubjects(tx: EntityManager, { changed }: Subjects): Promise<void> {
  if (changed.size === 0) return;
  await tx.query(
    `INSERT INTO audit_subjects (subject, state) SELECT * FROM unnest($1::text[], $2::jsonb[])
     ON CONFLICT (subject) DO UPDATE SET state = excluded.state`,
    [[...changed.keys()], [...changed.values()].map((state) => JSON.stringify(state))],
  );
}

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
async function labelPackages(tx: EntityManager, rows: readonly UnlabelledRow[]): Promise<UnlabelledRow[]> {
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

async function labelEarlierEntries(tx: EntityManager, publications: readonly UnlabelledRow[]): Promise<void> {
  if (publications.length === 0) return;
  await tx.query(
    `UPDATE audit_entries SET target_label = named.label, words = words || named.folded
     FROM unnest($1::text[], $2::text[], $3::text[]) AS named(id, label, folded)
     WHERE target_id = named.id AND target_label IS NULL AND target_type = 'PACKAGE'`,
    [
      publications.map((row) => row.targetId),
      publications.map((row) => row.targetLabel),
      publications.map((row) => foldText(String(row.targetLabel ?? ''))),
    ],
  );
}

/** The texts by which an entry is found, in one. The label comes last, where it is added when it becomes known later. */
const wordsOf = (row: UnlabelledRow): string =>
  foldText(
    [row.summary, row.actorName, row.address, row.originServerName, row.originActor, row.targetLabel]
      .map((text) => text ?? '')
      .join(' '),
  );

/** Writes the entries of the audit trail. The keys that it returns are the numbers of the new entries. */
@AsProjection()
@Injectable()
export class AuditProjection implements Projection {
  readonly name = 'audit';
  readonly version = 4;
  readonly tables = ['audit_entries', 'audit_actors', 'audit_subjects'];
  readonly eventTypes = describedTypes();

  async apply(events: readonly RecordedEvent[], tx: EntityManager): Promise<readonly string[]> {
    const told = describeEvents(events);
    const [last]: { seq: string; latest: Date }[] = await tx.query(
      'SELECT seq, latest FROM audit_entries ORDER BY seq DESC LIMIT 1',
    );
    const subjects = await loadSubjects(
      tx,
      told.map(({ description }) => subjectOf(description)),
    );
    const rows = makeAuditRows(told, { seq: Number(last?.seq ?? 0), latest: last?.latest ?? new Date(0), subjects });
    await saveSubjects(tx, subjects);
    await noteActors(tx, rows);
    const labelled = await labelPackages(tx, rows);
    await upsertRows(
      tx,
      AuditEntryEntity,
      labelled.map((row) => ({ ...row, words: wordsOf(row) })),
    );
    return rows.map((row) => String(row.seq));
  }
}
