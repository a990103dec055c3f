import { PostgresEventStore } from '../../../src/adapters/event-store/postgres/postgres-event-store.js';
import type { DatabaseSettings } from '../../../src/ports/database.port.js';
import type { CopyEnd } from '../../contract/events-copy.contract.js';
import { urlOf } from '../../support/copy-tool.js';
import { createTestDatabase } from '../../support/test-database.js';

export interface PostgresCopyEnd extends CopyEnd {
  readonly store: PostgresEventStore;
  readonly settings: DatabaseSettings;
}

export async function startPostgres(): Promise<PostgresCopyEnd> {
  const database = await createTestDatabase();
  const store = new PostgresEventStore(database.settings);
  const dispose = async (): Promise<void> => {
    await store.close();
    await database.drop();
  };
  return { place: urlOf(database.settings), store, settings: database.settings, dispose };
}
