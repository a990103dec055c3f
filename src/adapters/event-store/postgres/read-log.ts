import type { Pool } from 'pg';
import { Refusal } from '../../../kernel/errors.js';
import type { EventMetadata, Json, RecordedEvent } from '../../../kernel/events.js';
import type { HistoryRange } from '../../shared/log-subscription.js';
import type { LogPage, Positions } from '../../shared/log-tail.js';

/** A row of `log.events` as node-postgres returns it: bigint as a string. */
interface EventRow {
  readonly position: string;
  readonly revision: string;
  readonly recorded_at: Date;
  readonly id: string;
  readonly stream: string;
  readonly type: string;
  readonly data: Json;
  readonly metadata: EventMetadata;
}

const COLUMNS = 'position, revision, recorded_at, id, stream, type, data, metadata';

/** The maximum number of events of one page, and the bytes after which no further event is added to it. */
const PAGE_EVENTS = 1000;
const PAGE_BYTES = 4 * 1024 * 1024;

const toEvent = (row: EventRow): RecordedEvent => ({
  id: row.id,
  type: row.type,
  data: row.data,
  metadata: row.metadata,
  stream: row.stream,
  revision: BigInt(row.revision),
  cursor: row.position,
  recordedAt: row.recorded_at,
});

/** The maximum number of positions that one query searches, so that it stays short when the wanted types are rare. */
const MAX_POSITIONS = 20_000n;

interface CutLogPage extends LogPage<bigint> {
  /** True when the log had more events when this page was read. */
  readonly isCut: boolean;
}

type LogPageRow = EventRow & { readonly bytes: string };
type LogRow = { readonly head: string } & (LogPageRow | { readonly [K in keyof LogPageRow]: null });

/**
 * Head and page come from one snapshot, so that no commit falls between them.
 * pg_column_size takes the stored size and does not fetch data that is stored out of line.
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

/** The next events after a position, of the given types or, if they are null, of all. */
export async function readLog(pool: Pool, after: bigint, types: ReadonlySet<string> | null): Promise<CutLogPage> {
  const end = after + MAX_POSITIONS;
  const values = [String(after), String(end), types && [...types]];
  const { rows } = await pool.query<LogRow>({ name: 'read-log', text: LOG_PAGE_SQL, values });
  const page = rows.filter((row) => row.position !== null);
  const head = BigInt(rows[0]?.head ?? 0);
  const upTo = lastOf(page) ?? knownUpTo(after, end, head);
  return { events: page.map(toEvent), upTo, looked: Number(upTo - after), isCut: upTo < head };
}

/** Returns the end of a page that has reached its limit. Undefined for other pages. */
function lastOf(page: readonly LogPageRow[]): bigint | undefined {
  const last = page.at(-1);
  const cut = last && (page.length >= PAGE_EVENTS || Number(last.bytes) >= PAGE_BYTES);
  return cut ? BigInt(last.position) : undefined;
}

function knownUpTo(after: bigint, end: bigint, head: bigint): bigint {
  const known = head < end ? head : end;
  return known > after ? known : after;
}

/** The pages of a range of the log. */
export async function* readHistory(
  pool: Pool,
  { after, target, types, signal }: HistoryRange<bigint>,
): AsyncGenerator<CutLogPage> {
  for (let position = after; position < target && !signal.aborted;) {
    const page = await readLog(pool, position, types);
    yield page;
    position = page.upTo;
  }
}

/** Bytes after which no further event is added to the page of a stream. A query returns up to 16 such pages. */
const STREAM_PAGE_BYTES = 1024 * 1024;

/** A stream, and the revision to read it from. */
export interface StreamPlace {
  readonly stream: string;
  readonly from: bigint;
}

export interface StreamPage {
  readonly events: readonly RecordedEvent[];
  readonly isLast: boolean;
}

type StreamRow = EventRow & { readonly nth: string; readonly bytes: string };

const STREAM_PAGES_SQL = `
SELECT wanted.nth, page.* FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS wanted (name, first, nth)
CROSS JOIN LATERAL (
  SELECT * FROM (
    SELECT ${COLUMNS}, sum(pg_column_size(data)) OVER (ORDER BY revision) AS bytes
    FROM log.events WHERE stream = wanted.name AND revision >= wanted.first
    ORDER BY revision LIMIT ${PAGE_EVENTS}
  ) q WHERE bytes - pg_column_size(data) < ${STREAM_PAGE_BYTES}
) page
ORDER BY wanted.nth, page.revision`;

/** The next events of each stream, in the order of `places`. */
export async function readStreams(pool: Pool, places: readonly StreamPlace[]): Promise<readonly StreamPage[]> {
  const values = [places.map(({ stream }) => stream), places.map(({ from }) => String(from))];
  const { rows } = await pool.query<StreamRow>({ name: 'read-streams', text: STREAM_PAGES_SQL, values });
  const pages = places.map((): StreamRow[] => []);
  for (const row of rows) pages[Number(row.nth) - 1]?.push(row);
  return pages.map(toStreamPage);
}

function toStreamPage(rows: readonly StreamRow[]): StreamPage {
  const isLast = rows.length < PAGE_EVENTS && Number(rows.at(-1)?.bytes ?? 0) < STREAM_PAGE_BYTES;
  return { events: rows.map(toEvent), isLast };
}

/** The position of the last event; 0 in an empty log. */
export async function readHead(pool: Pool): Promise<bigint> {
  const { rows } = await pool.query<{ head: string }>('SELECT coalesce(max(position), 0) AS head FROM log.events');
  return BigInt(rows[0]?.head ?? 0);
}

/** The id of the event at a position; null if there is none. */
export async function readIdAt(pool: Pool, position: bigint): Promise<string | null> {
  const { rows } = await pool.query<{ id: string }>('SELECT id FROM log.events WHERE position = $1', [
    String(position),
  ]);
  return rows[0]?.id ?? null;
}

/**
 * The epoch belongs to the log and to its database. A log that was restored into another database may continue differently
 * from its original, so it gets a new epoch.
 */
const EPOCH_SQL = `
INSERT INTO log.epoch (home)
SELECT c.system_identifier || '/' || d.oid FROM pg_control_system() c, pg_database d WHERE d.datname = current_database()
ON CONFLICT (one) DO UPDATE SET home = excluded.home,
  id = CASE WHEN epoch.home = excluded.home THEN epoch.id ELSE excluded.id END
RETURNING id`;

export async function readEpoch(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ id: string }>(EPOCH_SQL);
  const id = rows[0]?.id;
  if (!id) throw new Error('The event log has no epoch');
  return id;
}

const MAX_POSITION = 2n ** 63n - 1n;

/** A cursor is a position in decimal; null stands before the first. @throws Refusal INVALID_CURSOR */
function positionOf(cursor: string | null): bigint {
  if (cursor === null) return 0n;
  if (!/^(0|[1-9]\d{0,18})$/.test(cursor) || BigInt(cursor) > MAX_POSITION) {
    throw new Refusal('INVALID_CURSOR', 'This is not a cursor of the event log');
  }
  return BigInt(cursor);
}

/** Positions count from 1 without gaps; a cursor is a position in decimal. */
export const positions: Positions<bigint> = {
  parse: positionOf,
  format: String,
  compare: (a, b) => (a < b ? -1 : Number(a > b)),
};
