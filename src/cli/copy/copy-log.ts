import { StartupError } from '../../kernel/errors.js';
import type { RecordedEvent } from '../../kernel/events.js';
import { readHistory } from '../../platform/eventsourcing/history.js';
import { type EventStore, EventStoreUnavailable, RevisionConflict } from '../../ports/event-store.port.js';
import type { Endpoint } from './endpoints.js';
import { readAhead, readSideBySide } from './read-log.js';

/** The part of the source that is on the target. */
export interface LogPosition {
  readonly events: number;
  /** Cursor of the last of these events in the source; null when there is none. */
  readonly cursor: string | null;
}

/**
 * Finds the place in the source where the target ends. It compares the target itself, event by event, because the notes of
 * an interrupted copy could be wrong. @throws StartupError when the target contains anything else
 */
export async function findCopiedPosition(
  source: EventStore,
  target: EventStore,
  signal: AbortSignal,
): Promise<LogPosition> {
  const place = { events: 0, cursor: null as string | null };
  if ((await target.head()) === null) return place;
  for await (const [ours, theirs] of readSideBySide(source, target, signal)) {
    if (!theirs) break;
    if (!ours || !isSameEvent(ours, theirs)) throw describeForeignTarget(place.events, ours, theirs);
    place.events += 1;
    place.cursor = ours.cursor;
  }
  return place;
}

const isSameEvent = (a: RecordedEvent, b: RecordedEvent): boolean =>
  a.id === b.id && a.stream === b.stream && a.revision === b.revision;

function describeForeignTarget(same: number, ours: RecordedEvent | null, theirs: RecordedEvent): StartupError {
  const it = `event ${same + 1} of the target is ${theirs.type} ${theirs.id} in ${theirs.stream}`;
  return new StartupError(
    ours
      ? `The target is not the beginning of the source: ${it}, but the source has ${ours.type} ${ours.id} in ${ours.stream}. Nothing was changed. Name an empty target.`
      : `The target contains more than the source, which ends after ${same} events: ${it}. Nothing was changed. Check that --from and --to are not exchanged.`,
  );
}

/** @param events the number of events that are on the target now */
type OnCopied = (events: number) => void;

/**
 * Copies the current events of the source after the place, one page at a time. The next page is written when this one is
 * durable, so the target is the beginning of the source at every moment. Returns the new place.
 * @throws StartupError with one line that says what to do
 */
export async function copyLog(
  source: Endpoint,
  target: Endpoint,
  from: LogPosition,
  signal: AbortSignal,
  onCopied: OnCopied,
): Promise<LogPosition> {
  let place = from;
  for await (const page of readAhead(readHistory(source.store, from.cursor, signal))) {
    await target.write(page).catch((error: unknown) => explainWriteError(error, target, place));
    place = { events: place.events + page.length, cursor: page.at(-1)?.cursor ?? place.cursor };
    onCopied(place.events);
  }
  return place;
}

/** Counts the events of the source after a cursor. */
export async function countAfter(store: EventStore, cursor: string | null, signal: AbortSignal): Promise<number> {
  let count = 0;
  for await (const page of readHistory(store, cursor, signal)) count += page.length;
  return count;
}

function explainWriteError(error: unknown, { label }: Endpoint, { events }: LogPosition): never {
  if (error instanceof EventStoreUnavailable) {
    throw new StartupError(
      `${label} cannot be reached any more, after ${events} events. Run the same command again to continue from there.`,
      error,
    );
  }
  if (error instanceof RevisionConflict) {
    throw new StartupError(
      `Another program writes to ${label} (${error.message}). Stop the server there and run the same command again.`,
      error,
    );
  }
  throw error;
}
