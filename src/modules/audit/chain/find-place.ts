import type { DataSource } from 'typeorm';
import type { EventStore } from '../../../ports/event-store.port.js';
import { readLastLink, readLinks, readPlace, type ChainPlace } from './store/chain-table.js';

/** The log is not the one that the chain was made of: somebody has to look. */
export class ChainBroken extends Error {}

const ADVICE =
  'No entry is added to the chain until this is settled. Run "npm run audit:verify" and see docs/how-to/audit-trail.md.';

/**
 * Where the chain goes on. In the log that it was made of that is on record; in one that was moved to another engine the
 * entries are counted once. @throws ChainBroken when the log does not hold what the chain says
 */
export async function findChainPlace(dataSource: DataSource, store: EventStore): Promise<ChainPlace> {
  const epoch = await store.epoch();
  const place = await readPlace(dataSource);
  const last = await readLastLink(dataSource);
  if (!place && last.number === 0) return { number: 0, epoch, cursor: null };
  if (place?.number !== last.number) {
    throw new ChainBroken(
      `The chain of the audit trail ends at entry ${last.number} and not at ${place?.number ?? 'a known one'}. ${ADVICE}`,
    );
  }
  if (place.epoch !== epoch)
    return { number: place.number, epoch, cursor: await findCursor(dataSource, store, place.number) };
  const id = place.cursor === null ? '' : await store.idAt(place.cursor);
  if (id === last.eventId) return place;
  throw new ChainBroken(
    `The event log does not hold entry ${last.number}, event ${last.eventId}, in its place. ${ADVICE}`,
  );
}

/** The cursor of an entry in a log whose cursors are not known yet. */
async function findCursor(dataSource: DataSource, store: EventStore, wanted: number): Promise<string> {
  const stop = new AbortController();
  let number = 0;
  try {
    for await (const item of store.subscribe({ after: null, signal: stop.signal })) {
      if (item.kind === 'caughtUp') break;
      if (item.kind !== 'events') continue;
      const links = await readLinks(dataSource, number + 1, number + item.events.length);
      for (const [i, event] of item.events.entries()) {
        number += 1;
        if (links[i]?.eventId !== event.id)
          throw new ChainBroken(`Entry ${number} is not event ${event.id} of the log. ${ADVICE}`);
        if (number === wanted) return event.cursor;
      }
    }
  } finally {
    stop.abort();
  }
  throw new ChainBroken(`The event log ends before entry ${wanted} of the chain. ${ADVICE}`);
}
