import type { RecordedEvent as ServerEvent } from '@eventstore/db-client';
import { version } from 'uuid';
import type { Appended } from '../../../../ports/event-store.port.js';
import type { LogClient } from '../client/log-client.js';
import { cursorOf } from '../cursor.js';
import { readBackward } from '../read/read-stream.js';
import { placeOf } from '../read/record.js';

/** How far the clocks of server and clients may be apart, in milliseconds. */
const MAX_CLOCK_SKEW_MS = 10 * 60 * 1000;

/** What a stream has of an append. */
export type Found =
  | { readonly outcome: 'all'; readonly appended: Appended }
  | { readonly outcome: 'some' }
  | { readonly outcome: 'none'; readonly actual: bigint | null };

/** Searches a stream backwards for the events of an append, no further than to when their ids were made. */
export async function findAppend(client: LogClient, stream: string, ids: readonly string[]): Promise<Found> {
  const wanted = new Set(ids);
  const oldest = Math.min(...ids.map(madeAt)) - MAX_CLOCK_SKEW_MS;
  const found: ServerEvent[] = [];
  let page = await readBackward(client, stream);
  const actual = page[0]?.revision ?? null;
  for (let last = page.at(-1); last; last = page.at(-1)) {
    found.push(...page.filter(({ id }) => wanted.has(id)));
    if (found.length === ids.length || last.revision === 0n || last.created.getTime() < oldest) break;
    page = await readBackward(client, stream, last.revision - 1n);
  }
  const [newest] = found;
  if (!newest) return { outcome: 'none', actual };
  return found.length === ids.length ? { outcome: 'all', appended: appendedOf(newest) } : { outcome: 'some' };
}

const appendedOf = (last: ServerEvent): Appended => ({ revision: last.revision, cursor: cursorOf(placeOf(last)) });

/** When an id was made, in milliseconds since 1970; 0 for one that does not tell. */
export const madeAt = (id: string): number =>
  version(id) === 7 ? Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16) : 0;
