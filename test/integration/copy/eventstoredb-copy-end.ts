import { EventStoreDbEventStore } from '../../../src/adapters/event-store/eventstoredb/eventstoredb-event-store.js';
import type { CopyEnd } from '../../contract/events-copy.contract.js';
import { EventStoreDbServer } from '../../support/eventstoredb/eventstoredb-server.js';

export async function startEventStoreDb(): Promise<CopyEnd> {
  const server = await EventStoreDbServer.start();
  const store = await EventStoreDbEventStore.connect(server.url, { log: () => undefined });
  const dispose = async (): Promise<void> => {
    await store.close();
    await server.stop();
  };
  return { place: server.url, store, dispose };
}
