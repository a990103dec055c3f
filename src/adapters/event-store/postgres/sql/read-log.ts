import type { Pool } from 'pg';
import type { RecordedEvent } from '../../../../kernel/event.js';
import { COLUMNS, PAGE_BYTES, PAGE_EVENTS, toEvent, type EventRow } from './row.js';

/** Positions that one call looks through at most, so that rare types do not make it take long. */
const MAX_POSITIONS = 20_000n;

export interface LogPage {
  readonly events: readonly RecordedEvent[];
  /** Everything wanted up to this position is on this page or an earlier one. */
  readonly upTo: bigint;
  /** The log had more when it was read. */
  readonly isCut: boolean;
}

type LogPageRow = EventRow & { readonly bytes: string };
type LogRow = { readonly head: string } & (LogPageRow | { readonly [K in keyof LogPageRow]: null });

/**
 * Head and page come from one snapshot: what is committed in between is neither behind the one nor on the other.
 * pg_column_size looks at the stored size and does not fetch what is stored out of line.
 */
const LOG_PAGE_SQL = `
SELECT h.head, p.* FROM (SELECT coalesce(max(position), 0) AS head FROM log.events) h
LEFT JOIN (
  SELECT * FROM (
    SELECT ${COLUMNS}, sum(pg_column_size(data)) OVER (ORDER BY position) AS bytes
    FROM log.events
    WHERE position > $1 AND position <= $2 AND ($3::text[] IS NULL OR type = ANY ($3))
    ORDER BY position LIMIT ${PAGE_EVENTS}
  ) q WHERE bytes - pg_column_size(data) < ${PAGE_BYTES}
) p ON true
ORDER BY p.position`;

/** The next events after a position, of the given types when they are given. */
export async function readLog(pool: Pool, after: bigint, types?: readonly string[]): Promise<LogPage> {
  const end = after + MAX_POSITIONS;
  const values = [String(after), String(end), types ?? null];
  const { rows } = await pool.query<LogRow>({ name: 'read-log', text: LOG_PAGE_SQL, values });
  const page = rows.filter((row) => row.position !== null);
  const head = BigInt(rows[0]?.head ?? 0);
  const upTo = lastOf(page) ?? knownUpTo(after, end, head);
  return { events: page.map(toEvent), upTo, isCut: upTo < head };
}

/** Where a page that was cut short ends; undefined when it was not. */
function lastOf(page: readonly LogPageRow[]): bigint | undefined {
  const last = page.at(-1);
  const cut = last && (page.length >= PAGE_EVENTS || Number(last.bytes) >= PAGE_BYTES);
  return cut ? BigInt(last.position) : undefined;
}

function knownUpTo(after: bigint, end: bigint, head: bigint): bigint {
  const known = head < end ? head : end;
  return known > after ? known : after;
}
