import type { AllStreamRecordedEvent, JSONType, RecordedEvent as ServerEvent } from '@eventstore/db-client';
import { z } from 'zod';
import type { Json, RecordedEvent } from '../../../kernel/events.js';
import { cursorOf, type Position } from './cursor.js';

/** The stream that contains the epoch of the log. Readers do not see it, and they do not see the events of EventStoreDB itself. */
export const LOG_STREAM = 'odst-log';

/** The position that versions before 22.10 return for every event of a stream, because they do not know the real one. */
const UNKNOWN_POSITION = 2n ** 64n - 1n;

/** The metadata of our events. `recordedAt` is set for a copied event and says when it was first recorded. */
const metadataShape = z.looseObject({
  schemaVersion: z.number(),
  serverId: z.string(),
  actor: z.object({
    kind: z.enum(['account', 'token', 'peer', 'system', 'stranger']),
    id: z.string(),
    name: z.string(),
  }),
  address: z.string().nullable(),
  correlationId: z.string(),
  causationId: z.string().nullable(),
  recordedAt: z.iso.datetime().optional(),
});

/** Accepts every value, because the client has parsed it from JSON. */
const anyJson = z.custom<Json>((value) => value !== undefined);

/** Converts a record to an event of the port. Returns null for events of EventStoreDB itself, the epoch, and events of other programs. */
export function toEvent(record: ServerEvent | AllStreamRecordedEvent): RecordedEvent | null {
  if (record.type.startsWith('$') || record.streamId.startsWith('$') || record.streamId === LOG_STREAM) return null;
  const metadata = record.isJson ? metadataShape.safeParse(record.metadata) : undefined;
  if (!metadata?.success) return null;
  const { recordedAt, ...rest } = metadata.data;
  return {
    id: record.id,
    type: record.type,
    data: anyJson.parse(record.data),
    metadata: rest,
    stream: record.streamId,
    revision: record.revision,
    cursor: cursorOf(placeOf(record)),
    recordedAt: recordedAt === undefined ? record.created : new Date(recordedAt),
  };
}

/** @throws Error when the server does not return the position */
export function placeOf({ position }: ServerEvent | AllStreamRecordedEvent): Position {
  if (!position || position.commit === UNKNOWN_POSITION) {
    throw new Error('This EventStoreDB does not return the positions of events. Version 22.10 or newer is needed.');
  }
  return position;
}

/** Returns the metadata as it is stored, with the time of a copied event. */
export const storedMetadata = (metadata: object, recordedAt: Date | undefined): JSONType => ({
  ...metadata,
  ...(recordedAt && { recordedAt: recordedAt.toISOString() }),
});
