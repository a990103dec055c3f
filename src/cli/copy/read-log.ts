import type { RecordedEvent } from '../../kernel/events.js';
import { readHistory } from '../../platform/eventsourcing/history.js';
import type { EventStore } from '../../ports/event-store.port.js';

type Events = readonly RecordedEvent[];

/** Requests the next page before the current one is processed, so that reading and writing overlap. */
export async function* readAhead(pages: AsyncGenerator<Events>): AsyncGenerator<Events> {
  try {
    for (let next = pages.next(); ;) {
      const page = await next;
      if (page.done) return;
      next = pages.next();
      // Avoids an unhandled rejection before the page is awaited in the next turn.
      next.catch(() => undefined);
      yield page.value;
    }
  } finally {
    await pages.return(undefined);
  }
}

async function* readEvents(store: EventStore, signal: AbortSignal): AsyncGenerator<RecordedEvent, null> {
  for await (const page of readAhead(readHistory(store, null, signal))) yield* page;
  return null;
}

type Pair = readonly [source: RecordedEvent | null, target: RecordedEvent | null];

/** Two logs from their beginnings, event beside event; null where one has ended before the other. */
export async function* readSideBySide(
  source: EventStore,
  target: EventStore,
  signal: AbortSignal,
): AsyncGenerator<Pair> {
  const [ours, theirs] = [readEvents(source, signal), readEvents(target, signal)];
  try {
    for (;;) {
      const [a, b] = await Promise.all([ours.next(), theirs.next()]);
      if (a.done && b.done) return;
      yield [a.value, b.value];
    }
  } finally {
    await Promise.all([ours.return(null), theirs.return(null)]);
  }
}
