import type { EventMetadata, RecordedEvent } from '../../../../kernel/event.js';
import type { Json } from '../../../../kernel/json.js';

/** A row of `log.events` as node-postgres returns it: bigint as a string. */
export interface EventRow {
  readonly position: string;
  readonly revision: string;
  readonly recorded_at: Date;
  readonly id: string;
  readonly stream: string;
  readonly type: string;
  readonly data: Json;
  readonly metadata: EventMetadata;
}

export const COLUMNS = 'position, revision, recorded_at, id, stream, type, data, metadata';

/** Events of one page, at most; and bytes after which no further event is put on it. */
export const PAGE_EVENTS = 1000;
export const PAGE_BYTES = 4 * 1024 * 1024;

export const toEvent = (row: EventRow): RecordedEvent => ({
  id: row.id,
  type: row.type,
  data: row.data,
  metadata: row.metadata,
  stream: row.stream,
  revision: BigInt(row.revision),
  cursor: row.position,
  recordedAt: row.recorded_at,
});
