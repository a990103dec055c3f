import type { EntityManager } from 'typeorm';
import { Subjects, type SubjectState } from './subjects.js';

/** What is known of these subjects. */
export async function loadSubjects(tx: EntityManager, ids: readonly string[]): Promise<Subjects> {
  const rows: { subject: string; state: SubjectState }[] = await tx.query(
    'SELECT subject, state FROM audit_subjects WHERE subject = ANY ($1)',
    [[...new Set(ids)]],
  );
  return new Subjects(new Map(rows.map(({ subject, state }) => [subject, state])));
}

export async function saveSubjects(tx: EntityManager, { changed }: Subjects): Promise<void> {
  if (changed.size === 0) return;
  await tx.query(
    `INSERT INTO audit_subjects (subject, state) SELECT * FROM unnest($1::text[], $2::jsonb[])
     ON CONFLICT (subject) DO UPDATE SET state = excluded.state`,
    [[...changed.keys()], [...changed.values()].map((state) => JSON.stringify(state))],
  );
}
