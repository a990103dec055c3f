import type { Pool } from 'pg';
import { COLUMNS, PAGE_BYTES, PAGE_EVENTS, toEvent, type EventRow } from './row.js';
import type { RecordedEvent } from '../../../../kernel/event.js';

export interface StreamPage {
  readonly events: readonly RecordedEvent[];
  readonly isLast: boolean;
}

const SQL = `
SELECT * FROM (
  SELECT ${COLUMNS}, sum(pg_column_size(data)) OVER (ORDER BY revision) AS bytes
  FROM log.events WHERE stream = $1 AND revision >= $2
  ORDER BY revision LIMIT ${PAGE_EVENTS}
) q WHERE bytes - pg_column_size(data) < ${PAGE_BYTES}
ORDER BY revision`;

/** The next events of a stream, from a revision on. */
export async function readStream(pool: Pool, stream: string, from: bigint): Promise<StreamPage> {
  const values = [stream, String(from)];
  const { rows } = await pool.query<EventRow & { bytes: string }>({ name: 'read-stream', text: SQL, values });
  const isLast = rows.length < PAGE_EVENTS && Number(rows.at(-1)?.bytes ?? 0) < PAGE_BYTES;
  return { events: rows.map(toEvent), isLast };
}
