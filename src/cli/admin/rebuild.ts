import 'reflect-metadata';
import { PostgresLocks } from '../../adapters/locks/postgres/postgres-locks.js';
import { StartupError } from '../../kernel/errors.js';
import type { Settings } from '../../platform/runtime/settings.js';
import { PinoLogger } from '../../platform/runtime/pino-logger.js';
import type { DatabaseSettings } from '../../ports/database.port.js';
import { startEventStore, withDatabase } from '../../server/boot/start-engines.js';
import { loadSettings } from '../../server/config/load-settings.js';
import { rebuildReadModels } from '../../server/boot/read-models.js';
import { printLine } from '../terminal.js';

async function rebuild(settings: Settings, database: DatabaseSettings): Promise<void> {
  const store = await startEventStore(settings, database, new PinoLogger(settings.logLevel));
  const locks = new PostgresLocks(database);
  const counts = new Map<string, number>();
  const startedAt = performance.now();
  try {
    const progress = (name: string, events: number): void => {
      counts.set(name, (counts.get(name) ?? 0) + events);
      if (process.stderr.isTTY) process.stderr.write(`\r${name}: ${counts.get(name)} events`.padEnd(60));
    };
    await rebuildReadModels(database, store, locks, { progress });
  } finally {
    await Promise.all([store.close(), locks.close()]);
  }
  if (process.stderr.isTTY) printLine('');
  for (const [name, events] of counts) printLine(`${name}: ${events} events`);
  printLine(`The read models were rebuilt in ${((performance.now() - startedAt) / 1000).toFixed(1)} s.`);
}

const runRebuild = (settings: Settings): Promise<void> =>
  withDatabase(settings, (database) => rebuild(settings, database));

const HELP = `npm run projections:rebuild
Builds the read models again from the event log and replaces the old ones with them; a running server continues
answering from the old ones meanwhile. Takes the server's own environment variables (ODST_DATA_DIR, DATABASE_URL,
EVENTSTOREDB_URL).`;

try {
  if (process.argv.includes('--help')) printLine(HELP);
  else await runRebuild(loadSettings(process.env));
} catch (error) {
  printLine(
    error instanceof StartupError ? error.message : `The rebuild failed, the old read models stay: ${String(error)}`,
  );
  process.exitCode = 1;
}
