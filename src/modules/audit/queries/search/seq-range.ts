import type { DataSource } from 'typeorm';
import type { AuditFilter } from '../audit-trail.query.js';

/** Numbers of entries, both included. */
export interface SeqRange {
  readonly from: number;
  readonly to: number;
}

type Found = { readonly seq: string | null }[];
const LAST = Number.MAX_SAFE_INTEGER;

/** The first entry by which a time had come. */
async function reached(dataSource: DataSource, time: Date): Promise<number | null> {
  const rows: Found = await dataSource.query(
    'SELECT seq FROM audit_entries WHERE latest >= $1 ORDER BY latest, seq LIMIT 1',
    [time],
  );
  return rows[0]?.seq ? Number(rows[0].seq) : null;
}

/** The last entry before a time; later ones that were recorded by a clock which had gone back count, too. */
async function lastBefore(dataSource: DataSource, time: Date): Promise<number> {
  const first = await reached(dataSource, time);
  if (first === null) return LAST;
  const late: Found = await dataSource.query(
    'SELECT max(seq) AS seq FROM audit_entries WHERE recorded_at < latest AND recorded_at < $1 AND seq >= $2',
    [time, first],
  );
  return late[0]?.seq ? Number(late[0].seq) : first - 1;
}

/**
 * Where all entries of a time lie: clocks seldom go back, so it is next to nothing more. Null when there are none. With
 * it every question can go by numbers, in whose order the answer is wanted.
 */
export async function seqRange(dataSource: DataSource, { since, until }: AuditFilter): Promise<SeqRange | null> {
  const from = since ? await reached(dataSource, since) : 1;
  if (from === null) return null;
  return { from, to: until ? await lastBefore(dataSource, until) : LAST };
}

export async function newestSeq(dataSource: DataSource): Promise<number> {
  const rows: Found = await dataSource.query('SELECT max(seq) AS seq FROM audit_entries');
  return Number(rows[0]?.seq ?? 0);
}
