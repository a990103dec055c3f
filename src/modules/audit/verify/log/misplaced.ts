import type { DataSource } from 'typeorm';
import type { RecordedEvent } from '../../../../kernel/event.js';
import type { EventStore } from '../../../../ports/event-store.port.js';
import type { ChainLink } from '../../chain/chain-entry.js';
import { findLink } from '../../chain/store/chain-table.js';
import { Tampered } from '../problem.js';

/** Another event than expected stands at a place of the log: finds out why. */
export async function explainMisplaced(
  dataSource: DataSource,
  store: EventStore,
  expected: ChainLink,
  found: RecordedEvent,
): Promise<Tampered> {
  const { number, eventId } = expected;
  const entry = await findLink(dataSource, found.id);
  const isLater = await logHoldsAfter(store, found.cursor, eventId);
  const there = `event ${found.id} (${found.type})`;
  if (entry && isLater) {
    const what = `Entry ${number}, event ${eventId}, stands further on in the log; in its place is ${there}, which is entry ${entry.number}.`;
    return new Tampered({ wrong: 'reordered', number, eventId, what });
  }
  if (entry) {
    const what = `Entry ${number}, event ${eventId}, is missing from the log; ${there}, entry ${entry.number}, follows in its place.`;
    return new Tampered({ wrong: 'removed', number, eventId, what });
  }
  if (isLater) {
    const what = `In the place of entry ${number} is ${there}, which is not in the chain: it was inserted before event ${eventId}.`;
    return new Tampered({ wrong: 'inserted', number, eventId: found.id, what });
  }
  const what = `Entry ${number} was event ${eventId}; in its place is ${there}, which is not in the chain.`;
  return new Tampered({ wrong: 'changed', number, eventId, what });
}

/** Reads the log to its end in the worst case, once. */
async function logHoldsAfter(store: EventStore, cursor: string, eventId: string): Promise<boolean> {
  const stop = new AbortController();
  try {
    for await (const item of store.subscribe({ after: cursor, signal: stop.signal })) {
      if (item.kind === 'events' && item.events.some(({ id }) => id === eventId)) return true;
      if (item.kind === 'caughtUp') return false;
    }
    return false;
  } finally {
    stop.abort();
  }
}
