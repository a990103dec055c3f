import { ANY, NO_STREAM, type AppendExpectedRevision, type EventData, type JSONType } from '@eventstore/db-client';
import { validate } from 'uuid';
import type { NewEvent } from '../../../../kernel/event.js';
import type { Appended, ExpectedRevision } from '../../../../ports/event-store.port.js';
import { checkAppend } from '../../../shared/event-log/checked-append.js';
import { withTimeout } from '../client/errors.js';
import { CALL_TIMEOUT_MS, type LogClient } from '../client/log-client.js';
import { cursorOf } from '../cursor.js';
import { readForward } from '../read/read-stream.js';
import { placeOf, storedMetadata } from '../read/record.js';

/** An append that is ready to be sent. */
export interface ReadyAppend {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly ids: readonly string[];
  readonly events: readonly EventData[];
}

/** @throws Error for what the client would never answer and what the server would refuse */
export function prepareAppend(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): ReadyAppend {
  checkAppend(stream, events, expected);
  for (const { id } of events) if (!validate(id)) throw new Error(`${id} is not an event id`);
  if (stream.startsWith('$')) throw new Error('Streams that begin with $ belong to EventStoreDB');
  return { stream, expected, ids: events.map(({ id }) => id.toLowerCase()), events: events.map(toServerEvent) };
}

function toServerEvent({ id, type, data, metadata, recordedAt }: NewEvent): EventData {
  if (type.startsWith('$')) throw new Error('Types that begin with $ belong to EventStoreDB');
  // The client's type knows objects and strings only; it stringifies whatever it gets.
  return {
    id: id.toLowerCase(),
    contentType: 'application/json',
    type,
    data: data as JSONType,
    metadata: storedMetadata(metadata, recordedAt),
  };
}

/** One attempt. @throws what the client throws, or NoAnswer */
export async function sendAppend(client: LogClient, append: ReadyAppend): Promise<Appended> {
  const call = client.appendToStream(append.stream, [...append.events], {
    expectedRevision: toServerRevision(append.expected),
  });
  const { nextExpectedRevision: revision, position } = await withTimeout(
    CALL_TIMEOUT_MS,
    `an append to ${append.stream}`,
    call,
  );
  return { revision, cursor: position ? cursorOf(position) : await readCursor(client, append.stream, revision) };
}

/** Servers may leave the position out, above all for an append that was there already. */
async function readCursor(client: LogClient, stream: string, revision: bigint): Promise<string> {
  const [event] = await readForward(client, stream, revision, 1);
  if (event?.revision !== revision) throw new Error(`Event ${revision} of ${stream} is not there after its append`);
  return cursorOf(placeOf(event));
}

function toServerRevision(expected: ExpectedRevision): AppendExpectedRevision {
  if (expected === 'any') return ANY;
  return expected === 'none' ? NO_STREAM : expected;
}
