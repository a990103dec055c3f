import { foldText } from '../../../kernel/text.js';
import { describedTypes } from '../../../platform/eventsourcing/event-descriptions.js';
import { type AuditFilter, ENTRY_COLUMNS } from './audit-view.js';
import type { SeqRange } from './seq-range.js';

export type Order = 'newest' | 'oldest';

/** A search with names resolved to ids and times resolved to numbers of entries. */
export interface EntrySearch {
  readonly filter: AuditFilter;
  /** Ids of the actors; null for any actor. */
  readonly actors: readonly string[] | null;
  readonly range: SeqRange;
  readonly order: Order;
  readonly count: number;
}

export interface Statement {
  readonly sql: string;
  readonly values: readonly unknown[];
}

/** Collects the parameter values of an SQL statement. */
class Values {
  readonly list: unknown[] = [];

  /** Adds a value and returns its placeholder. */
  add(value: unknown): string {
    return `$${this.list.push(value)}`;
  }
}

const makeRangeCondition = ({ range }: EntrySearch, values: Values): string =>
  `e.seq BETWEEN ${values.add(range.from)} AND ${values.add(range.to)}`;

/** The conditions that use no index. */
function makeConditions({ filter }: EntrySearch, values: Values, withText: boolean): string[] {
  const { since, until, text } = filter;
  const found = ['true'];
  if (since) found.push(`e.recorded_at >= ${values.add(since)}`);
  if (until) found.push(`e.recorded_at < ${values.add(until)}`);
  // Not LIKE: the index of texts is for a statement of its own.
  if (text && withText) found.push(`position(${values.add(foldText(text))} IN e.words) > 0`);
  return found;
}

const sortDirection = ({ order }: EntrySearch): string => (order === 'newest' ? 'DESC' : 'ASC');

/** A look-up by an index: lists whose combinations are looked up, the columns of the index, and the value of each column. */
interface IndexLookup {
  readonly lists: readonly string[];
  readonly columns: readonly string[];
  readonly sought: readonly string[];
  /** True when two indexes fit. */
  readonly choice: boolean;
}

function chooseLookup({ filter, actors }: EntrySearch, values: Values): IndexLookup | null {
  const kinds = filter.kinds ?? (actors || filter.target ? describedTypes() : null);
  if (!kinds) return null;
  const ofKinds = `unnest(${values.add([...new Set(kinds)])}::text[]) AS k (kind)`;
  if (actors) {
    const ofActors = `unnest(${values.add(actors)}::text[]) AS a (id)`;
    const both = { lists: [ofKinds, ofActors], columns: ['e.actor_id', 'e.kind'], sought: ['a.id', 'k.kind'] };
    if (!filter.target) return { ...both, choice: false };
    return {
      lists: both.lists,
      columns: [...both.columns, 'e.target_id'],
      sought: [...both.sought, values.add(filter.target)],
      choice: true,
    };
  }
  if (filter.target)
    return {
      lists: [ofKinds],
      columns: ['e.target_id', 'e.kind'],
      sought: [values.add(filter.target), 'k.kind'],
      choice: false,
    };
  return { lists: [ofKinds], columns: ['e.kind'], sought: ['k.kind'], choice: false };
}

/**
 * Reads indexes in the order of the result, so that the work depends on the size of the result and not on the number of
 * entries. It reads one short list for each kind and actor, and takes the first entries of all lists.
 */
export function selectInOrder(question: EntrySearch, withText = true): Statement {
  const values = new Values();
  const { range, count } = question;
  const where = makeConditions(question, values, withText);
  const way = sortDirection(question);
  const limit = `LIMIT ${values.add(count)}`;
  const tail = `ORDER BY seq ${way} ${limit}`;
  const found = chooseLookup(question, values);
  const select = `SELECT ${ENTRY_COLUMNS}, e.words FROM audit_entries e WHERE ${where.join(' AND ')}`;
  if (!found) return { sql: `${select} AND ${makeRangeCondition(question, values)} ${tail}`, values: values.list };
  const { lists, columns, sought, choice } = found;
  const [key, wanted] = [columns.join(', '), sought.join(', ')];
  // A comparison of rows together with this order leaves the planner only one index. With equalities, it would take the
  // index by number when it guesses that the result is near, although it may be far. When two indexes fit, it can tell
  // which value is rare.
  const one = choice
    ? `${select} AND (${key}) = (${wanted}) AND ${makeRangeCondition(question, values)} ${tail}`
    : `${select} AND (${key}, e.seq) >= (${wanted}, ${values.add(range.from)}) AND (${key}, e.seq) <= (${wanted}, ${values.add(range.to)})
       ORDER BY ${columns.map((column) => `${column} ${way}`).join(', ')}, e.seq ${way} ${limit}`;
  return { sql: `SELECT found.* FROM ${lists.join(', ')}, LATERAL (${one}) AS found ${tail}`, values: values.list };
}

/** Searches the text among the first entries that match the other conditions. `looked` is the number of these entries. */
export function selectWithinFirst(question: EntrySearch, most: number): Statement {
  const { sql, values } = selectInOrder({ ...question, count: most }, false);
  const n = values.length;
  return {
    sql: `WITH first AS MATERIALIZED (${sql})
      SELECT ${ENTRY_COLUMNS}, looked.n AS looked FROM (SELECT count(*) AS n FROM first) looked
      LEFT JOIN (SELECT * FROM first WHERE position($${n + 1}::text IN words) > 0) e ON true
      ORDER BY seq ${sortDirection(question)} LIMIT $${n + 2}`,
    values: [...values, foldText(question.filter.text ?? ''), question.count],
  };
}

const escapePattern = (text: string): string => text.replaceAll(/[\\%_]/g, '\\$&');

/** Length of the part of a text by which it is looked up, which is much cheaper than the whole text. */
const PART_LENGTH = 9;

const countDigits = (text: string): number => text.replaceAll(/\D/g, '').length;

/** The part of the text with the most digits, which distinguishes files best. The whole text when it has no digits. */
function findTellingPart(text: string): string {
  const letters = [...text];
  if (letters.length <= PART_LENGTH || countDigits(text) === 0) return text;
  const parts = Array.from({ length: letters.length - PART_LENGTH + 1 }, (_, i) =>
    letters.slice(i, i + PART_LENGTH).join(''),
  );
  return parts.reduce((best, part) => (countDigits(part) >= countDigits(best) ? part : best));
}

/** Looks up at most `most` entries with the text by the index of texts, and selects those that match the other conditions. */
export function selectByText(question: EntrySearch, most: number): Statement {
  const values = new Values();
  const { filter, actors, count } = question;
  const folded = foldText(filter.text ?? '');
  const pattern = values.add(`%${escapePattern(findTellingPart(folded))}%`);
  const text = values.add(folded);
  const limit = values.add(most);
  const where = [...makeConditions(question, values, false), makeRangeCondition(question, values)];
  if (filter.target) where.push(`e.target_id = ${values.add(filter.target)}`);
  if (filter.kinds) where.push(`e.kind = ANY (${values.add(filter.kinds)})`);
  if (actors) where.push(`e.actor_id = ANY (${values.add(actors)})`);
  const way = sortDirection(question);
  const sql = `WITH hits AS MATERIALIZED (SELECT seq FROM audit_entries
      WHERE words LIKE ${pattern} AND position(${text} IN words) > 0 LIMIT ${limit})
    SELECT ${ENTRY_COLUMNS}, looked.n AS looked FROM (SELECT count(*) AS n FROM hits) looked
    LEFT JOIN (SELECT e.* FROM (SELECT seq FROM hits ORDER BY seq ${way}) h, LATERAL (
      SELECT * FROM audit_entries e WHERE e.seq = h.seq AND ${where.join(' AND ')}) e ORDER BY e.seq ${way} LIMIT ${values.add(count)}) e ON true
    ORDER BY seq ${way}`;
  return { sql, values: values.list };
}
