import { PostgresLocks } from '../../adapters/locks/postgres/postgres-locks.js';
import { StartupError } from '../../kernel/startup-error.js';
import type { Settings } from '../../platform/config/settings.js';
import { PinoLogger } from '../../platform/logging/pino-logger.js';
import type { Database } from '../../ports/database.port.js';
import { plainTextWarning } from '../config/directory-settings.js';
import { loadSettings } from '../config/load-settings.js';
import { startDatabase } from '../database/start-database.js';
import { assemble } from './assemble.js';
import { listen, refuseTakenPort } from './listen.js';
import { Shutdown } from './shutdown.js';
import { startWork } from './start-work.js';

/** Runs the server until a signal ends it; a start that fails says so in one line and sets exit code 1. */
export async function runServer(env: Readonly<Record<string, string | undefined>>): Promise<void> {
  try {
    const settings = loadSettings(env);
    const logger = new PinoLogger(settings.logLevel);
    const warning = plainTextWarning(settings.directory);
    if (warning !== null) logger.warn(warning, 'Directory');
    await refuseTakenPort(settings.port);
    await start(settings, logger, new Shutdown(logger));
  } catch (error) {
    process.stderr.write(`${error instanceof StartupError ? error.message : unexpected(error)}\n`);
    process.exit(1);
  }
}

async function start(settings: Settings, logger: PinoLogger, shutdown: Shutdown): Promise<void> {
  const starting = startDatabase(settings, logger);
  shutdown.add(async () => (await starting).stop());
  const database = await starting;
  if (shutdown.hasBegun) return;
  try {
    await startApp(settings, database, logger, shutdown);
  } catch (error) {
    // What fails because it is being stopped is no news.
    if (shutdown.hasBegun) return;
    await database.stop();
    throw error;
  }
}

async function startApp(settings: Settings, database: Database, logger: PinoLogger, shutdown: Shutdown): Promise<void> {
  const locks = new PostgresLocks(database.settings);
  shutdown.add(() => locks.close());
  const ground = { settings, database, locks, logger, shutdown };
  const onTaken = (): void => logger.log('Another process of this server is starting; this one is next', 'Server');
  const app = await locks.hold('boot', shutdown.signal, () => assemble(ground), onTaken);
  if (!app) return;
  await startWork(app);
  await listen(app, settings.port);
  logger.log(`Listening on port ${settings.port}`, 'Server');
  if (process.connected) process.send?.('ready');
}

/** What nobody foresaw: the stack helps whoever reports it. */
const unexpected = (error: unknown): string =>
  `The server cannot start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
