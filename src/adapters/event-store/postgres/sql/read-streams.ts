import type { Pool } from 'pg';
import { COLUMNS, PAGE_EVENTS, toEvent, type EventRow } from './row.js';
import type { RecordedEvent } from '../../../../kernel/event.js';

/** Bytes after which no further event of a stream is put on its page: a group of reads has one for each. */
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

/** The next events of each of some streams, in the order in which they are asked for. */
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
