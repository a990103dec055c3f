import type { RecordedEvent } from '../../kernel/events.js';
import type { EventStore } from '../../ports/event-store.port.js';

/**
 * Reads page by page what the log holds now after a cursor; null reads from the beginning.
 * @throws the reason of the signal when it aborts, and an Error when the log is closed, before the end is reached
 */
export async function* readHistory(
  log: Pick<EventStore, 'subscribe'>,
  after: string | null,
  signal?: AbortSignal,
): AsyncGenerator<readonly RecordedEvent[]> {
  const stop = new AbortController();
  const end = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  try {
    for await (const item of log.subscribe({ after, signal: end })) {
      if (item.kind === 'events') yield item.events;
      if (item.kind === 'caughtUp') return;
    }
    // A subscription that was aborted just ends, which must not pass for the end of the log.
    signal?.throwIfAborted();
    throw new Error('The log ended before its history had been read');
  } finally {
    stop.abort();
  }
}

/** True when the log contains the event after this cursor. In the worst case this reads the log to its end. */
export async function logHolds(
  log: Pick<EventStore, 'subscribe'>,
  after: string | null,
  eventId: string,
): Promise<boolean> {
  for await (const events of readHistory(log, after)) if (events.some(({ id }) => id === eventId)) return true;
  return false;
}
