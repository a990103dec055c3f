import type { DataSource } from 'typeorm';
import type { AuditFilter } from './audit-view.js';

/** A range of entry numbers, both ends included. */
export interface SeqRange {
  readonly from: number;
  readonly to: number;
}

type SeqRows = { readonly seq: string | null }[];
const MAX_SEQ = Number.MAX_SAFE_INTEGER;

/** Number of the first entry that was recorded at a time or later; null when there is none. */
async function findFirstSince(dataSource: DataSource, time: Date): Promise<number | null> {
  const rows: SeqRows = await dataSource.query(
    'SELECT seq FROM audit_entries WHERE latest >= $1 ORDER BY latest, seq LIMIT 1',
    [time],
  );
  return rows[0]?.seq ? Number(rows[0].seq) : null;
}

/** Number of the last entry that was recorded before a time, including later entries from a clock that had gone back. */
async function findLastBefore(dataSource: DataSource, time: Date): Promise<number> {
  const first = await findFirstSince(dataSource, time);
  if (first === null) return MAX_SEQ;
  const late: SeqRows = await dataSource.query(
    'SELECT max(seq) AS seq FROM audit_entries WHERE recorded_at < latest AND recorded_at < $1 AND seq >= $2',
    [time, first],
  );
  return late[0]?.seq ? Number(late[0].seq) : first - 1;
}

/**
 * Finds the numbers between which all entries of a time are. Clocks seldom go back, so there are hardly any other entries
 * between them. Null when there are none. With these numbers, every query can use the order of its result.
 */
export async function findSeqRange(dataSource: DataSource, { since, until }: AuditFilter): Promise<SeqRange | null> {
  const from = since ? await findFirstSince(dataSource, since) : 1;
  if (from === null) return null;
  return { from, to: until ? await findLastBefore(dataSource, until) : MAX_SEQ };
}

export async function readNewestSeq(dataSource: DataSource): Promise<number> {
  const rows: SeqRows = await dataSource.query('SELECT max(seq) AS seq FROM audit_entries');
  return Number(rows[0]?.seq ?? 0);
}
