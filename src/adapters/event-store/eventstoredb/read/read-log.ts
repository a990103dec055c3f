import { BACKWARDS, END, FORWARDS, START, type AllStreamRecordedEvent, type ReadPosition } from '@eventstore/db-client';
import type { RecordedEvent } from '../../../../kernel/event.js';
import type { LogClient } from '../client/log-client.js';
import { BEGINNING, comparePositions, isAfter, positionOf, type Position } from '../cursor.js';
import { collectRead, PAGE_EVENTS } from './collect.js';
import { toEvent } from './record.js';

/** Events that follow on a position, and how far that looked. */
export interface LogPage {
  readonly events: readonly RecordedEvent[];
  /** Everything wanted up to this position is on this page or an earlier one. */
  readonly upTo: Position;
  /** Events that were looked at, wanted or not, as far as that is known. */
  readonly looked: number;
}

/** Where the last event of the log is, and up to where that was searched. */
export interface Head {
  readonly head: Position;
  readonly searched: Position;
}

const FIRST_LOOK = 4;

/** The next page of the whole log, of the given types when they are given; looks at most at 256 records. */
export async function readPage(
  client: LogClient,
  after: Position,
  types: ReadonlySet<string> | null,
  signal?: AbortSignal,
): Promise<LogPage> {
  const from = comparePositions(after, BEGINNING) === 0 ? START : after;
  // Reading begins with the record at the position itself.
  const records = (await readAll(client, from, FORWARDS, PAGE_EVENTS + 1, signal)).filter(({ position }) =>
    isAfter(position, after),
  );
  const events = records.flatMap((record) => toEvent(record) ?? []);
  const wanted = types ? events.filter(({ type }) => types.has(type)) : events;
  return { events: wanted, upTo: records.at(-1)?.position ?? after, looked: records.length };
}

/** Searches backwards for the last event, as far as to what an earlier search knows. */
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

/** Id of the event at a position, null when there is none of ours exactly there. */
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
