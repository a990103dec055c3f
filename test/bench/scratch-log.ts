import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { EmbeddedDatabase } from '../../src/adapters/database/embedded/embedded-database.js';
import { PostgresEventStore } from '../../src/adapters/event-store/postgres/postgres-event-store.js';
import { migrate } from '../../src/server/boot/data-source.js';
import type { NewEvent } from '../../src/kernel/events.js';
import { newId } from '../../src/platform/runtime/ids.js';
import type { DatabaseSettings } from '../../src/ports/database.port.js';

export const metadata: NewEvent['metadata'] = {
  schemaVersion: 1,
  serverId: '0195bb2c-0000-7000-8000-000000000001',
  actor: { kind: 'account', id: '0195bb2c-0000-7000-8000-000000000002', name: 'admin' },
  address: '192.0.2.1',
  correlationId: '0195bb2c-0000-7000-8000-000000000003',
  causationId: null,
};

/** A change of stage: an event of usual size. */
export const stageChange = (packageId: string): NewEvent => ({
  id: newId(),
  type: 'PackageStageChanged',
  data: {
    packageId,
    filename: 'Some Application 1.2.3.pkg',
    from: 'Dev',
    to: 'Test',
    stamp: '000001932c4b-0000-0195bb2c-0000-7000-8000-000000000001',
    source: { kind: 'local' },
  },
  metadata,
});

/** An embedded PostgreSQL of its own with an empty log in it. */
export async function withScratchLog<T>(
  folder: string,
  work: (store: PostgresEventStore, database: DatabaseSettings) => Promise<T>,
): Promise<T> {
  const database = await EmbeddedDatabase.start(mkdtempSync(join(folder, 'scratch-')));
  try {
    await migrate(database.settings);
    const store = new PostgresEventStore(database.settings);
    try {
      return await work(store, database.settings);
    } finally {
      await store.close();
    }
  } finally {
    await database.stop();
  }
}
