import { AdminAccount } from '../../modules/accounts/accounts/admin-account.js';
import { PostgresLocks } from '../../adapters/locks/postgres/postgres-locks.js';
import { BackgroundTasks } from '../../platform/runtime/background-tasks.js';
import type { Settings } from '../../platform/runtime/settings.js';
import type { Database } from '../../ports/database.port.js';
import { assembleServer, type BootContext } from './assemble.js';
import { refuseLostDatabase } from './data-folder.js';
import { listenOnPort } from './listen.js';
import { renewReadModels } from './read-models.js';
import { startDatabase } from './start-engines.js';

type StartContext = Pick<BootContext, 'settings' | 'tls' | 'logger' | 'shutdown'>;

/** Starts the database and the server. @throws StartupError */
export async function startServer(beginning: StartContext): Promise<void> {
  const { settings, logger, shutdown } = beginning;
  await refuseLostDatabase(settings);
  const starting = startDatabase(settings, logger, shutdown.signal);
  shutdown.addStep('the database', async () => (await starting.catch(() => null))?.stop());
  const database = await starting;
  if (!shutdown.hasBegun) await startApp(beginning, database);
}

async function startApp(beginning: StartContext, database: Database): Promise<void> {
  const { settings, logger, shutdown } = beginning;
  const locks = new PostgresLocks(database.settings);
  shutdown.addStep('the locks', () => locks.close());
  const ground = { ...beginning, database, locks };
  const onTaken = (): void =>
    logger.log('Another process of this server is starting. This process waits for it', 'Server');
  const app = await locks.hold('boot', () => assembleServer(ground), { signal: shutdown.signal, onTaken });
  if (!app) return;
  await app.get(BackgroundTasks).start();
  await listenOnPort(app, settings.port);
  renewReadModels(app, shutdown);
  logger.log(`Listening on port ${settings.port}${settings.tls ? ' for https' : ''}`, 'Server');
  if (app.get(AdminAccount).isNew) logger.log(describeFirstStart(settings), 'Server');
  if (process.connected) process.send?.('ready');
}

const describeFirstStart = ({ port, url, tls, dataDir }: Settings): string =>
  `This server is new. Its address is ${url ?? `${tls ? 'https' : 'http'}://localhost:${port}`}, and its data folder is ${dataDir}. ` +
  'Next, sign in as admin, create accounts and tokens, and register other servers: docs/how-to/run-a-server.md';
