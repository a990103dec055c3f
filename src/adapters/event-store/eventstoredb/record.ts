import type { AllStreamRecordedEvent, JSONType, RecordedEvent as ServerEvent } from '@eventstore/db-client';
import { z } from 'zod';
import type { Json, RecordedEvent } from '../../../kernel/events.js';
import { cursorOf, type Position } from './cursor.js';

/** The stream that names the log; hidden from readers as the server's own events are. */
export const LOG_STREAM = 'odst-log';

/** What servers before 22.10 write where the position of an event of a stream would be. */
const UNKNOWN_POSITION = 2n ** 64n - 1n;

/** `recordedAt` is ours: when a copied event was recorded first. */
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

/** The client made it with JSON.parse, so it is JSON whatever it is. */
const anyJson = z.custom<Json>((value) => value !== undefined);

/** An event as the port has it; null for the server's own, the log's name, and what another program wrote. */
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

/** @throws Error when the server does not tell it */
export function placeOf({ position }: ServerEvent | AllStreamRecordedEvent): Position {
  if (!position || position.commit === UNKNOWN_POSITION) {
    throw new Error('This EventStoreDB does not tell the positions of events. Version 22.10 or newer is needed.');
  }
  return position;
}

/** The metadata with our own key, as it is stored. */
export const storedMetadata = (metadata: object, recordedAt: Date | undefined): JSONType => ({
  ...metadata,
  ...(recordedAt && { recordedAt: recordedAt.toISOString() }),
});
