import type { LoggerService } from '@nestjs/common';
import { EmbeddedDatabase, runningSettings } from '../../adapters/database/embedded/embedded-database.js';
import { ExternalDatabase, waitUntilWritable } from '../../adapters/database/external/external-database.js';
import type { EventStoreLog } from '../../adapters/event-store/eventstoredb/connection.js';
import { EventStoreDbEventStore } from '../../adapters/event-store/eventstoredb/eventstoredb-event-store.js';
import { PostgresEventStore } from '../../adapters/event-store/postgres/postgres-event-store.js';
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { dataFolder } from '../../adapters/database/embedded/cluster.js';
import { StartupError } from '../../kernel/errors.js';
import { describeDatabase, readServerName, refuseLostDatabase, refuseOtherDatabase } from './data-folder.js';
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
export async function startDatabase(settings: Settings, logger: LoggerService, signal: AbortSignal): Promise<Database> {
  const warn = (message: string): void => logger.warn(message, 'Database');
  if (settings.databaseUrl !== null) return ExternalDatabase.connect(settings.databaseUrl, { onWaiting: warn, signal });
  const database = await EmbeddedDatabase.start(settings.dataDir, { onEvent: warn });
  try {
    await waitUntilWritable(database.settings, `in ${settings.dataDir}`, { onWaiting: warn, signal });
    return database;
  } catch (error) {
    await database.stop();
    throw error;
  }
}

/**
 * Runs `work` with the database of the running server, or with the one in the data folder, which is started for it. For
 * tools. It never creates a database, and acts as the owner of the data folder. Before it begins, it says which server this
 * is. @throws StartupError
 */
export async function withDatabase(
  settings: Settings,
  work: (database: DatabaseSettings) => Promise<void>,
): Promise<void> {
  await actAsOwner(settings.dataDir);
  if (settings.databaseUrl !== null) {
    return runTool(settings, (await ExternalDatabase.connect(settings.databaseUrl)).settings, work);
  }
  await refuseLostDatabase(settings);
  if (!existsSync(dataFolder(join(settings.dataDir, 'postgres'))))
    throw noServer(`the data folder ${settings.dataDir}`);
  const running = await runningSettings(settings.dataDir);
  if (running) return runTool(settings, running, work);
  const database = await EmbeddedDatabase.start(settings.dataDir);
  try {
    await runTool(settings, database.settings, async (found) => {
      await migrate(found);
      await work(found);
    });
  } finally {
    await database.stop();
  }
}

async function runTool(
  settings: Settings,
  database: DatabaseSettings,
  work: (database: DatabaseSettings) => Promise<void>,
): Promise<void> {
  await refuseOtherDatabase(settings, database);
  const { owner, place } = await describeDatabase(database, settings.dataDir);
  if (owner === null) throw noServer(`the database ${place}`);
  const name = await readServerName(database);
  process.stderr.write(`Server ${name} (${owner}), data folder ${settings.dataDir}, database ${place}\n`);
  await work(database);
}

const noServer = (place: string): StartupError =>
  new StartupError(
    `There is no server in ${place}. Nothing was changed. Set ODST_DATA_DIR or DATABASE_URL as they are set for the server.`,
  );

/**
 * As root, becomes the owner of the data folder: files that root makes could not be read by the server. A folder of root
 * is used as root.
 */
export async function actAsOwner(dataDir: string): Promise<void> {
  const found = await stat(dataDir).catch(() => null);
  if (process.getuid?.() !== 0 || !found || found.uid === 0) return;
  process.setgroups?.([found.gid]);
  process.setgid?.(found.gid);
  process.setuid?.(found.uid);
}

/** Reads the id of the server to which the log belongs. For tools. @throws StartupError when the server was never started */
export async function readServerId(store: EventStore): Promise<string> {
  for await (const record of store.readStream('server')) {
    if (serverEvents.read(record)?.type === 'ServerInitialised') return record.metadata.serverId;
  }
  throw new StartupError('There is no server in this database, because it was never started. Start it first.');
}
