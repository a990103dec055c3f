import type { LoggerService } from '@nestjs/common';
import { EmbeddedDatabase, runningSettings } from '../../adapters/database/embedded/embedded-database.js';
import { ExternalDatabase } from '../../adapters/database/external/external-database.js';
import type { EventStoreLog } from '../../adapters/event-store/eventstoredb/connection.js';
import { EventStoreDbEventStore } from '../../adapters/event-store/eventstoredb/eventstoredb-event-store.js';
import { PostgresEventStore } from '../../adapters/event-store/postgres/postgres-event-store.js';
import { StartupError } from '../../kernel/errors.js';
import { serverEvents } from '../../modules/server/contracts/server.events.js';
import type { Settings } from '../../platform/runtime/settings.js';
import type { Database, DatabaseSettings } from '../../ports/database.port.js';
import type { EventStore } from '../../ports/event-store.port.js';
import { migrate } from './data-source.js';

/** Opens the event log of EVENTSTOREDB_URL, or the one in the database. @throws StartupError when it does not answer */
export async function startEventStore(
  settings: Settings,
  database: DatabaseSettings,
  logger: LoggerService,
): Promise<EventStore> {
  if (settings.eventStoreUrl === null) return new PostgresEventStore(database);
  const log: EventStoreLog = (level, message) => logger[level === 'info' ? 'log' : level](message, 'EventStore');
  return EventStoreDbEventStore.connect(settings.eventStoreUrl, { log });
}

/** Connects to the PostgreSQL of DATABASE_URL, or starts the embedded one in the data folder. @throws StartupError */
export function startDatabase(settings: Settings, logger: LoggerService): Promise<Database> {
  const warn = (message: string): void => logger.warn(message, 'Database');
  if (settings.databaseUrl !== null) return ExternalDatabase.connect(settings.databaseUrl, { onWaiting: warn });
  return EmbeddedDatabase.start(settings.dataDir, { onEvent: warn });
}

/** Runs `work` with the database of the running server, or with one that is started for it. For tools. @throws StartupError */
export async function withDatabase(
  settings: Settings,
  work: (database: DatabaseSettings) => Promise<void>,
): Promise<void> {
  if (settings.databaseUrl !== null) return work((await ExternalDatabase.connect(settings.databaseUrl)).settings);
  const running = await runningSettings(settings.dataDir);
  if (running) return work(running);
  const database = await EmbeddedDatabase.start(settings.dataDir);
  try {
    await migrate(database.settings);
    await work(database.settings);
  } finally {
    await database.stop();
  }
}

/** Reads the id of the server to which the log belongs. For tools. @throws StartupError when the server was never started */
export async function readServerId(store: EventStore): Promise<string> {
  for await (const record of store.readStream('server')) {
    if (serverEvents.read(record)?.type === 'ServerInitialised') return record.metadata.serverId;
  }
  throw new StartupError('There is no server in this database, because it was never started. Start it first.');
}
