import {
  type AllStreamRecordedEvent,
  BACKWARDS,
  END,
  FORWARDS,
  NO_STREAM,
  type ReadPosition,
  type RecordedEvent as ServerEvent,
  START,
  type StreamingRead,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import { v4 } from 'uuid';
import { z } from 'zod';
import type { LogPage } from '../../shared/log-tail.js';
import { BEGINNING, comparePositions, isAfter, type Position, positionOf } from './cursor.js';
import { ConnectionGone, isNoStream, NoAnswer, withTimeout } from './errors.js';
import { CALL_TIMEOUT_MS, type LogClient } from './log-client.js';
import { LOG_STREAM, placeOf, toEvent } from './record.js';

/** The number of records in a page. Since an event has at most 64 KiB, a page stays below 20 MB. */
export const PAGE_EVENTS = 256;

/**
 * Collects all items of a read. The client would wait for ever for a page that never comes, so the read ends with an error
 * when nothing has arrived for 5 s, or when the signal is aborted.
 */
async function collectRead<E>(
  client: LogClient,
  read: StreamingRead<E>,
  what: string,
  signal?: AbortSignal,
): Promise<E[]> {
  // Errors may come after the first one, when nobody else listens any more.
  read.on('error', () => undefined);
  const stop = (error: Error): void => void read.destroy(error);
  const timer = setTimeout(() => stop(new NoAnswer(what, CALL_TIMEOUT_MS)), CALL_TIMEOUT_MS);
  const onAbort = (): void => stop(new NoAnswer(`${what}, which was given up`, 0));
  signal?.addEventListener('abort', onAbort, { once: true });
  const items: E[] = [];
  let complete = false;
  try {
    for await (const item of read) {
      items.push(item);
      timer.refresh();
    }
    complete = !client.isClosed;
    if (!complete) throw new ConnectionGone();
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    // `destroy` alone would leave the call open on the server.
    if (!complete) void read.cancel().catch(() => undefined);
  }
  return items;
}

/** The position of the last event of the log, and the position up to which the log was searched for it. */
export interface Head {
  readonly head: Position;
  readonly searched: Position;
}

const FIRST_LOOK = 4;

/** Reads the next page of the log, at most 256 records. With `types`, the page contains only events of these types. */
export async function readPage(
  client: LogClient,
  after: Position,
  types: ReadonlySet<string> | null,
  signal?: AbortSignal,
): Promise<LogPage<Position>> {
  const from = comparePositions(after, BEGINNING) === 0 ? START : after;
  // The read begins with the record at the position itself, which is not part of the page.
  const records = (await readAll(client, from, FORWARDS, PAGE_EVENTS + 1, signal)).filter(({ position }) =>
    isAfter(position, after),
  );
  const events = records.flatMap((record) => toEvent(record) ?? []);
  const wanted = types ? events.filter(({ type }) => types.has(type)) : events;
  return { events: wanted, upTo: records.at(-1)?.position ?? after, looked: records.length };
}

/** Searches backwards for the last event, until it reaches the result of an earlier search. */
export async function readHead(client: LogClient, known: Head | null, signal?: AbortSignal): Promise<Head> {
  let searched: Position | null = null;
  let from: ReadPosition = END;
  for (let count = FIRST_LOOK; ; count = Math.min(count * 4, PAGE_EVENTS)) {
    const records = await readAll(client, from, BACKWARDS, count, signal);
    searched ??= records[0]?.position ?? BEGINNING;
    for (const record of records) {
      if (known && !isAfter(record.position, known.searched)) return { head: known.head, searched };
      const event = toEvent(record);
      if (event) return { head: positionOf(event.cursor), searched };
    }
    const last = records.at(-1);
    if (!last || records.length < count) return { head: known?.head ?? BEGINNING, searched };
    from = last.position;
  }
}

/** Returns the id of the event at a position, or null when none of our events is exactly there. */
export async function readIdAt(client: LogClient, position: Position): Promise<string | null> {
  const [record] = await readAll(client, position, FORWARDS, 1);
  if (!record || comparePositions(record.position, position) !== 0) return null;
  return toEvent(record)?.id ?? null;
}

async function readAll(
  client: LogClient,
  fromPosition: ReadPosition,
  direction: typeof FORWARDS | typeof BACKWARDS,
  maxCount: number,
  signal?: AbortSignal,
): Promise<AllStreamRecordedEvent[]> {
  const resolved = await collectRead(
    client,
    client.readAll({ fromPosition, direction, maxCount }),
    'a read of the log',
    signal,
  );
  return resolved.flatMap(({ event }) => (event ? [event] : []));
}

/** Reads the next records of a stream from a revision on. A stream that does not exist or was deleted has none. */
export const readForward = (
  client: LogClient,
  stream: string,
  from: bigint,
  count = PAGE_EVENTS,
): Promise<ServerEvent[]> => readStream(client, stream, { fromRevision: from, direction: FORWARDS, maxCount: count });

/** Reads the records of a stream up to a revision, or up to its end, with the newest first. */
export const readBackward = (
  client: LogClient,
  stream: string,
  from?: bigint,
  count = PAGE_EVENTS,
): Promise<ServerEvent[]> =>
  readStream(client, stream, { fromRevision: from ?? END, direction: BACKWARDS, maxCount: count });

async function readStream(
  client: LogClient,
  stream: string,
  options: Parameters<LogClient['readStream']>[1],
): Promise<ServerEvent[]> {
  try {
    const resolved = await collectRead(client, client.readStream(stream, options), `a read of ${stream}`);
    return resolved.flatMap(({ event }) => (event ? [event] : []));
  } catch (error) {
    if (isNoStream(error)) return [];
    throw error;
  }
}

const LOG_BEGAN = 'LogBegan';
const logBeganShape = z.object({ epoch: z.uuid() });

/** Returns the epoch of this log. The first caller creates it. */
export async function readEpoch(client: LogClient): Promise<string> {
  return (await readRecordedEpoch(client)) ?? (await beginLog(client));
}

async function readRecordedEpoch(client: LogClient): Promise<string | null> {
  const [began] = await readForward(client, LOG_STREAM, 0n, 1);
  if (!began) return null;
  placeOf(began);
  return logBeganShape.parse(began.data).epoch;
}

async function beginLog(client: LogClient): Promise<string> {
  const event = {
    id: v4(),
    contentType: 'application/json',
    type: LOG_BEGAN,
    data: { epoch: v4() },
    metadata: undefined,
  } as const;
  try {
    await withTimeout(
      CALL_TIMEOUT_MS,
      'the first append',
      client.appendToStream(LOG_STREAM, event, { expectedRevision: NO_STREAM }),
    );
  } catch (error) {
    if (!(error instanceof WrongExpectedVersionError)) throw error;
  }
  const epoch = await readRecordedEpoch(client);
  if (epoch === null) throw new Error(`The stream ${LOG_STREAM} was deleted, so the event log has lost its epoch`);
  return epoch;
}
