import type { HistoryRange } from '../../shared/log-subscription.js';
import type { LogPage } from '../../shared/log-tail.js';
import { isAfter, type Position, positionOf } from './cursor.js';
import { readFeed } from './feed.js';
import type { LogClient } from './log-client.js';
import { readPage } from './read-log.js';

/** Time without events after which the rest of the history is read page by page. */
const QUIET_TIMEOUT_MS = 500;

/**
 * Reads the history after a position up to a target. With a filtered subscription, the server skips the events that are not
 * wanted. But it does not report its position while its last window is not full, so the few remaining events up to the
 * target are read without a filter.
 */
export async function* readHistory(
  client: LogClient,
  { after: start, target, types, signal }: HistoryRange<Position>,
): AsyncGenerator<LogPage<Position>> {
  let after = start;
  let isEndNear = false;
  while (isAfter(target, after) && !signal.aborted) {
    const page = limitToTarget(await readPage(client, after, types, signal), target);
    if (!isAfter(page.upTo, after)) throw new Error('The event log ends before its last event');
    yield page;
    after = page.upTo;
    if (isEndNear || !isAfter(target, after)) continue;
    for await (const more of readFeed(client, { after, types, signal, quietMs: QUIET_TIMEOUT_MS })) {
      const clamped = limitToTarget(more, target);
      if (isAfter(clamped.upTo, after)) yield clamped;
      after = clamped.upTo;
      isEndNear ||= more.isCaughtUp;
      if (isEndNear || !isAfter(target, after)) break;
    }
  }
}

/** Limits a page to the target. After the target there may be records that no subscriber sees, and a cursor must not be after the last event. */
function limitToTarget(page: LogPage<Position>, target: Position): LogPage<Position> {
  if (!isAfter(page.upTo, target)) return page;
  const last = page.events.at(-1);
  const seen = last ? positionOf(last.cursor) : target;
  return { ...page, upTo: isAfter(seen, target) ? seen : target };
}
