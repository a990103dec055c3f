import type { RecordedEvent } from '../../kernel/events.js';
import { isPlain } from '../../kernel/text.js';

const LOOKS_LIKE_DATE = /^[+-]?\d{4,6}-\d\d-\d\dT/;
/** The years that PostgreSQL, GraphQL and all programs that read exports understand. */
const ORDINARY_YEAR = /^(?!0000)\d{4}-/;

/** Whether a text is a date in ISO 8601 that every part of the program can store and show. */
export const isOrdinaryDate = (text: string): boolean => ORDINARY_YEAR.test(text) && !Number.isNaN(Date.parse(text));

/** An index of PostgreSQL holds about a third of a page, which is 8 KiB. */
const MAX_INDEXED_LENGTH = 2_000;
/** Lists of digests are long, and are in no index. */
const DIGESTS = new Set(['sha1', 'sha256']);

const isOddText = (text: string): boolean =>
  !isPlain(text) || text.length > MAX_INDEXED_LENGTH || (LOOKS_LIKE_DATE.test(text) && !isOrdinaryDate(text));

const isOddNumber = (value: number): boolean => !Number.isSafeInteger(value) || value < 0;

const isDigests = (value: unknown): boolean => typeof value === 'string' && /^[\w+/=]*$/.test(value);

/** Whether a JSON value contains texts, dates or numbers that a database may not be able to store. */
export function hasOddValues(value: unknown): boolean {
  const left = [value];
  while (left.length > 0) {
    const next = left.pop();
    if (typeof next === 'string' ? isOddText(next) : typeof next === 'number' && isOddNumber(next)) return true;
    if (typeof next !== 'object' || next === null) continue;
    for (const [name, item] of Object.entries(next)) if (!DIGESTS.has(name) || !isDigests(item)) left.push(name, item);
  }
  return false;
}

/** Whether events are odd. An event is read once for all projections of a process. */
const known = new WeakMap<RecordedEvent, boolean>();

function isOdd(event: RecordedEvent): boolean {
  const before = known.get(event);
  if (before !== undefined) return before;
  const odd = hasOddValues(event.data) || hasOddValues(event.metadata);
  known.set(event, odd);
  return odd;
}

/**
 * Divides events, in their order, into runs that are applied together. An event that a projection may not be able to
 * store is a run of its own. Otherwise a later event could replace its values within one page and not within two, and the
 * rows would depend on where the pages of the log end.
 */
export function splitAtOddEvents(events: readonly RecordedEvent[]): readonly (readonly RecordedEvent[])[] {
  if (!events.some(isOdd)) return events.length > 0 ? [events] : [];
  const runs: RecordedEvent[][] = [];
  let run: RecordedEvent[] = [];
  for (const event of events) {
    if (isOdd(event)) {
      runs.push(run, [event]);
      run = [];
    } else run.push(event);
  }
  return [...runs, run].filter(({ length }) => length > 0);
}
