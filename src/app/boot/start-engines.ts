import type { LoggerService } from '@nestjs/common';
import { EventStoreDbEventStore } from '../../adapters/event-store/eventstoredb/eventstoredb-event-store.js';
import type { EventStoreLog } from '../../adapters/event-store/eventstoredb/client/trouble.js';
import { PostgresEventStore } from '../../adapters/event-store/postgres/postgres-event-store.js';
import type { Settings } from '../../platform/config/settings.js';
import type { DatabaseSettings } from '../../ports/database.port.js';
import type { EventStore } from '../../ports/event-store.port.js';

/** The event log: of EVENTSTOREDB_URL, else in the database. @throws StartupError when it does not answer */
export async function startEventStore(
  settings: Settings,
  database: DatabaseSettings,
  logger: LoggerService,
): Promise<EventStore> {
  if (settings.eventStoreUrl === null) return new PostgresEventStore(database);
  const log: EventStoreLog = (level, message) => logger[level === 'info' ? 'log' : level](message, 'EventStore');
  return EventStoreDbEventStore.connect(settings.eventStoreUrl, { log });
}
