import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Settings } from '../../platform/config/settings.js';
import { OdsHttpAdapter } from '../../platform/http/ods-http-adapter.js';
import type { ServedKeyPair } from '../../platform/http/tls/served-key-pair.js';
import type { PinoLogger } from '../../platform/logging/pino-logger.js';
import type { Database } from '../../ports/database.port.js';
import { JobQueue } from '../../ports/job-queue.port.js';
import type { Locks } from '../../ports/locks.port.js';
import { ServerIdentity } from '../../ports/server-identity.port.js';
import { AppModule } from '../app.module.js';
import { migrate } from '../database/migrate.js';
import { bindLog, checkBinding } from './ownership/bind-log.js';
import { claimDataFolder } from './ownership/claim-folder.js';
import { catchUp } from './catch-up.js';
import { answerHealthOnly } from './health-only.js';
import type { Shutdown } from './shutdown.js';
import { startEventStore } from './start-engines.js';

/** What a process has before it can assemble the server. */
export interface BootContext {
  readonly settings: Settings;
  readonly tls: ServedKeyPair | null;
  readonly database: Database;
  readonly locks: Locks;
  readonly logger: PinoLogger;
  readonly shutdown: Shutdown;
}

/**
 * Puts the server together, in one process of the server at a time: tables are made, the first start decides who the
 * server is, and what a crash left is cleared away only while nobody else can be at work. @throws StartupError
 */
export async function assembleServer({
  settings,
  tls,
  database,
  locks,
  logger,
  shutdown,
}: BootContext): Promise<NestExpressApplication> {
  await migrate(database.settings);
  const store = await startEventStore(settings, database.settings, logger);
  shutdown.addStep(() => store.close());
  const isMoved = await checkBinding(database.settings, store);
  if (isMoved) logger.log('The event log is another one than before: everything is derived anew from it', 'Server');
  const http = new OdsHttpAdapter({ ...settings, tls });
  if (settings.role === 'worker') http.addRawHandler(answerHealthOnly);
  const engines = { settings, database, store, locks };
  const options = { logger, abortOnError: false, forceCloseConnections: false };
  const app = await NestFactory.create<NestExpressApplication>(AppModule.forRoot(engines), http, options);
  shutdown.addStep(() => app.close());
  shutdown.addStep(() => app.get(JobQueue).stop());
  const { serverId } = app.get(ServerIdentity);
  await claimDataFolder(settings.dataDir, serverId);
  await bindLog(database.settings, store, serverId);
  // Also makes the tables of the queue.
  await app.get(JobQueue).counts();
  await app.init();
  await catchUp(app);
  return app;
}
