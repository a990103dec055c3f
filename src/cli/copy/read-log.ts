import type { RecordedEvent } from '../../kernel/events.js';
import type { EventStore } from '../../ports/event-store.port.js';

type Events = readonly RecordedEvent[];

/** Reads the current events of the log after a cursor, page by page. @throws the reason of the signal when it is aborted first */
export async function* readPages(store: EventStore, after: string | null, signal: AbortSignal): AsyncGenerator<Events> {
  const stop = new AbortController();
  try {
    for await (const item of store.subscribe({ after, signal: AbortSignal.any([signal, stop.signal]) })) {
      if (item.kind === 'events') yield item.events;
      if (item.kind === 'caughtUp') return;
    }
    // An aborted subscription just ends: that must not pass for the end of the log.
    signal.throwIfAborted();
    throw new Error('The log ended before its history had been read');
  } finally {
    stop.abort();
  }
}

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
  for await (const page of readAhead(readPages(store, null, signal))) yield* page;
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
