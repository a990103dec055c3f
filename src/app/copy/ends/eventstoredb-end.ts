import { EventStoreDbEventStore } from '../../../adapters/event-store/eventstoredb/eventstoredb-event-store.js';
import { StartupError } from '../../../kernel/startup-error.js';
import { groupAppends } from '../log/appends.js';
import type { Endpoint } from './end.js';
import type { LogLocation } from './place.js';

/** How long the server may take to answer, in milliseconds. */
const EVENT_STORE_TIMEOUT_MS = 5000;

/** @throws StartupError */
export async function openEventStoreDb({ flag, url, label }: LogLocation & { url: string }): Promise<Endpoint> {
  // That it waits for a server that does not answer is said by the refusal.
  const log = (level: string, message: string): void => {
    if (level !== 'info') process.stderr.write(`${message}\n`);
  };
  const store = await EventStoreDbEventStore.connect(url, { patience: EVENT_STORE_TIMEOUT_MS, log }).catch(
    (error: unknown) => {
      if (!(error instanceof StartupError)) throw error;
      throw new StartupError(error.message.replace(/EVENTSTOREDB_URL/, flag), error);
    },
  );
  return {
    label,
    store,
    database: null,
    // The server orders appends as they arrive, so the next one is sent when this one is durable.
    write: async (events) => {
      for (const append of groupAppends(events)) await store.append(append.stream, append.events, append.expected);
    },
    close: () => store.close(),
  };
}
