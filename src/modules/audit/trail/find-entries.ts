import type { DataSource } from 'typeorm';
import { type AuditEntryView, type AuditFilter, type EntryRow, toAuditView } from './audit-view.js';
import {
  selectByText,
  selectInOrder,
  selectWithinFirst,
  type Order,
  type EntrySearch,
  type Statement,
} from './search-statements.js';
import { readNewestSeq, findSeqRange, type SeqRange } from './seq-range.js';
import { foldText } from '../../../kernel/text.js';

/** Number of entries that are searched for a text before the index of texts is used. A frequent text is found among them. */
const WINDOW_ENTRIES = 5_000;
/** When fewer entries than this match the other conditions, they are searched one by one. */
const MAX_LOOKED_THROUGH = 2_500;
/** When more entries than this contain the text, the search goes through the entries in order. The smaller limit applies when another index can be used. */
const MAX_HITS = 25_000;
const MAX_HITS_WHEN_FILTERED = 5_000;
/** When this share of the result is found among the first entries, the rest is expected nearby. */
const MIN_SHARE_NEARBY = 1 / 8;
/** The index of texts works with groups of three characters. */
const MIN_INDEXED_LENGTH = 3;

interface EntryPage {
  readonly order: Order;
  readonly count: number;
  /** Only entries after this one, in the requested order. */
  readonly beyond: number | null;
}

type CountedRow = EntryRow & { readonly looked: string };

/** Finds the first entries that a filter selects, in the requested order. */
export async function findEntries(
  dataSource: DataSource,
  filter: AuditFilter,
  wanted: EntryPage,
): Promise<AuditEntryView[]> {
  const whole = await findSeqRange(dataSource, filter);
  const range = whole && narrowRange(whole, wanted);
  const actors = filter.actor ? await findActorIds(dataSource, filter.actor) : null;
  if (!range || range.from > range.to || actors?.length === 0) return [];
  const question = { filter, actors, range, order: wanted.order, count: wanted.count };
  return (
    filter.text ? await findText(dataSource, question) : await runStatement(dataSource, selectInOrder(question))
  ).map(toAuditView);
}

const narrowRange = ({ from, to }: SeqRange, { order, beyond: place }: EntryPage): SeqRange => {
  if (place === null) return { from, to };
  return order === 'newest' ? { from, to: Math.min(to, place - 1) } : { from: Math.max(from, place + 1), to };
};

/** Ids of all actors who have or had this name or have this id. */
async function findActorIds(dataSource: DataSource, actor: string): Promise<string[]> {
  const rows: { id: string }[] = await dataSource.query(
    'SELECT DISTINCT actor_id AS id FROM audit_actors WHERE name = $1',
    [foldText(actor)],
  );
  return [...new Set([actor, ...rows.map(({ id }) => id)])];
}

/**
 * No single search is good for every text. A frequent text is soon found by looking at entries, and a rare text by its index.
 * When few entries match the other conditions, these entries are looked at. The guesses of a planner about the frequency of
 * a text are wrong too often.
 */
async function findText(dataSource: DataSource, question: EntrySearch): Promise<EntryRow[]> {
  const [near, far] = await splitRange(dataSource, question);
  const found = near ? await runStatement(dataSource, selectInOrder({ ...question, range: near })) : [];
  if (found.length >= question.count || !far) return found;
  const rest = { ...question, range: far, count: question.count - found.length };
  return [...found, ...(await findFar(dataSource, rest))];
}

/** Splits the range into the part that is searched first and the rest. */
async function splitRange(
  dataSource: DataSource,
  { range, order }: EntrySearch,
): Promise<[SeqRange | null, SeqRange | null]> {
  const to = Math.min(range.to, await readNewestSeq(dataSource));
  if (to < range.from) return [null, null];
  const edge =
    order === 'newest' ? Math.max(range.from, to - WINDOW_ENTRIES + 1) : Math.min(to, range.from + WINDOW_ENTRIES - 1);
  const [near, far] =
    order === 'newest'
      ? [
          { from: edge, to },
          { from: range.from, to: edge - 1 },
        ]
      : [
          { from: range.from, to: edge },
          { from: edge + 1, to },
        ];
  return [near, far.from > far.to ? null : far];
}

async function findFar(dataSource: DataSource, question: EntrySearch): Promise<EntryRow[]> {
  const { kinds, target, text } = question.filter;
  const isSome = kinds || target || question.actors;
  if (isSome) {
    const few = await runCounted(dataSource, selectWithinFirst(question, MAX_LOOKED_THROUGH));
    if (few.looked < MAX_LOOKED_THROUGH || few.rows.length >= question.count) return few.rows;
    if (few.rows.length >= question.count * MIN_SHARE_NEARBY) return runStatement(dataSource, selectInOrder(question));
  }
  if ((text ?? '').length >= MIN_INDEXED_LENGTH) {
    const most = isSome ? MAX_HITS_WHEN_FILTERED : MAX_HITS;
    const hits = await runCounted(dataSource, selectByText(question, most));
    if (hits.looked < most) return hits.rows;
  }
  return runStatement(dataSource, selectInOrder(question));
}

async function runCounted(dataSource: DataSource, statement: Statement): Promise<{ looked: number; rows: EntryRow[] }> {
  const rows = await dataSource.transaction(async (tx): Promise<CountedRow[]> => {
    await tx.query(`SELECT set_config('enable_seqscan', 'off', true)`);
    return tx.query(statement.sql, [...statement.values]);
  });
  return { looked: Number(rows[0]?.looked ?? 0), rows: rows.filter(({ seq }) => seq !== null) };
}

const runStatement = (dataSource: DataSource, { sql, values }: Statement): Promise<EntryRow[]> =>
  dataSource.query(sql, [...values]);
