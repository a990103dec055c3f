import { StartupError } from '../../../kernel/startup-error.js';
import { EventStoreUnavailable, RevisionConflict, type EventStore } from '../../../ports/event-store.port.js';
import type { Endpoint } from '../ends/end.js';
import type { LogPosition } from './find-place.js';
import { readPages, readAhead } from './read-log.js';

/** @param events that are on the target now */
export type OnCopied = (events: number) => void;

/**
 * Copies what the source holds now after the place, a page at a time: the next page is written when this one is durable,
 * so the target is the beginning of the source at every moment. Returns the new place.
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
  for await (const page of readAhead(readPages(source.store, from.cursor, signal))) {
    await target.write(page).catch((error: unknown) => explainWriteError(error, target, place));
    place = { events: place.events + page.length, cursor: page.at(-1)?.cursor ?? place.cursor };
    onCopied(place.events);
  }
  return place;
}

/** Events that the source holds after the place now. */
export async function countAfter(store: EventStore, cursor: string | null, signal: AbortSignal): Promise<number> {
  let count = 0;
  for await (const page of readPages(store, cursor, signal)) count += page.length;
  return count;
}

function explainWriteError(error: unknown, { label }: Endpoint, { events }: LogPosition): never {
  if (error instanceof EventStoreUnavailable) {
    throw new StartupError(
      `${label} cannot be reached any more, after ${events} events. Run the same command again: it goes on from there.`,
      error,
    );
  }
  if (error instanceof RevisionConflict) {
    throw new StartupError(
      `Somebody else writes to ${label} (${error.message}). Stop the server there and run the same command again.`,
      error,
    );
  }
  throw error;
}
