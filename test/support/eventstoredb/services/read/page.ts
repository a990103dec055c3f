import { writeRecorded, streamIdentifier } from '../../protocol/events.js';
import { streams } from '../../protocol/messages.js';
import type { EventFilter } from './filter.js';
import type { Outlet } from './outlet.js';
import type { Source } from './source.js';

export interface PageOptions {
  readonly backwards: boolean;
  readonly count: bigint;
  readonly filter: EventFilter;
  readonly structuredIds: boolean;
}

/**
 * A read that ends. Forwards it begins with the event at the start; backwards in a stream as well, but in `$all` with
 * the one before it, as the log is read from the end of a record.
 */
export async function readPage(source: Source, outlet: Outlet, options: PageOptions): Promise<void> {
  const events = source.events();
  if (source.stream !== undefined && events.length === 0) return notFound(source.stream, outlet);
  const step = options.backwards ? -1 : 1;
  const end = options.backwards ? -1 : events.length;
  let left = options.count;
  for (let i = firstIndex(source, options.backwards); i !== end && left > 0n && !outlet.isClosed; i += step) {
    const event = events[i];
    if (!event || !options.filter.matches(event)) continue;
    await outlet.send(writeRecorded(event, options.structuredIds));
    left--;
  }
}

function firstIndex({ start, stream, isAtEvent }: Source, backwards: boolean): number {
  if (!backwards) return start;
  return stream !== undefined && isAtEvent ? start : start - 1;
}

async function notFound(stream: string, outlet: Outlet): Promise<void> {
  const answer = new streams.ReadResp.StreamNotFound().setStreamIdentifier(streamIdentifier(stream));
  await outlet.send(new streams.ReadResp().setStreamNotFound(answer));
}
