import { PostgresEventStore } from '../../src/adapters/event-store/postgres/postgres-event-store.js';
import { createTestDatabase } from '../support/test-database.js';
import { eventStoreContract } from './event-store.contract.js';

eventStoreContract('postgres', async () => {
  const database = await createTestDatabase();
  const stores: PostgresEventStore[] = [];
  return {
    open: () => {
      const store = new PostgresEventStore(database.settings);
      stores.push(store);
      return store;
    },
    close: async () => {
      await Promise.all(stores.map((store) => store.close()));
      await database.drop();
    },
  };
});
