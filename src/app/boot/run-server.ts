import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { StartupError } from '../../kernel/startup-error.js';
import type { Settings } from '../../platform/config/settings.js';
import { OdsHttpAdapter } from '../../platform/http/ods-http-adapter.js';
import { PinoLogger } from '../../platform/logging/pino-logger.js';
import type { Database } from '../../ports/database.port.js';
import { EventStore } from '../../ports/event-store.port.js';
import { JobQueue } from '../../ports/job-queue.port.js';
import { AppModule } from '../app.module.js';
import { loadSettings } from '../config/load-settings.js';
import { migrate } from '../database/migrate.js';
import { startDatabase } from '../database/start-database.js';
import { listen, refuseTakenPort } from './listen.js';
import { Shutdown } from './shutdown.js';
import { startWork } from './start-work.js';

/** Runs the server until a signal ends it; a start that fails says so in one line and sets exit code 1. */
export async function runServer(env: Readonly<Record<string, string | undefined>>): Promise<void> {
  try {
    const settings = loadSettings(env);
    const logger = new PinoLogger(settings.logLevel);
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
  await migrate(database.settings);
  const app = await NestFactory.create<NestExpressApplication>(AppModule.forRoot(settings, database), new OdsHttpAdapter(settings.trustedProxies), {
    logger,
    abortOnError: false,
    forceCloseConnections: false,
  });
  shutdown.add(() => app.get(EventStore).close());
  shutdown.add(() => app.close());
  shutdown.add(() => app.get(JobQueue).stop());
  await app.init();
  await startWork(app);
  await listen(app, settings.port);
  logger.log(`Listening on port ${settings.port}`, 'Server');
  if (process.connected) process.send?.('ready');
}

/** What nobody foresaw: the stack helps whoever reports it. */
const unexpected = (error: unknown): string =>
  `The server cannot start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
