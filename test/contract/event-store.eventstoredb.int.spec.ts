import { EventStoreDbEventStore } from '../../src/adapters/event-store/eventstoredb/eventstoredb-event-store.js';
import { EventStoreDbServer } from '../support/eventstoredb/eventstoredb-server.js';
import { eventStoreContract, type EventStoreEngine } from './event-store.contract.js';
import { eventStoreLimitsContract } from './event-store-limits.contract.js';

const url = process.env.EVENTSTOREDB_URL;

/** With EVENTSTOREDB_URL this is a real server, whose log is used again and again. */
async function start(): Promise<EventStoreEngine> {
  const server = url === undefined ? await EventStoreDbServer.start() : null;
  const stores: EventStoreDbEventStore[] = [];
  return {
    isUsed: server === null,
    open: async () => {
      const store = await EventStoreDbEventStore.connect(url ?? server?.url ?? '', { log: () => undefined });
      stores.push(store);
      return store;
    },
    close: async () => {
      await Promise.all(stores.map((store) => store.close()));
      await server?.stop();
    },
    ...(server && { interrupt: () => server.stop().then(() => server.start()) }),
  };
}

eventStoreContract(url === undefined ? 'eventstoredb' : 'eventstoredb, a real server', start);
eventStoreLimitsContract(url === undefined ? 'eventstoredb' : 'eventstoredb, a real server', start);
