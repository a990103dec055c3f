import 'reflect-metadata';
import { PostgresLocks } from '../../adapters/locks/postgres/postgres-locks.js';
import { StartupError } from '../../kernel/errors.js';
import { recoverAdmin } from '../../modules/accounts/accounts/admin-account.js';
import type { Settings } from '../../platform/runtime/settings.js';
import { PinoLogger } from '../../platform/runtime/pino-logger.js';
import type { DatabaseSettings } from '../../ports/database.port.js';
import { readServerId, startEventStore, withDatabase } from '../../server/boot/start-engines.js';
import { loadSettings } from '../../server/config/load-settings.js';
import { connectReadSchema } from '../../server/boot/data-source.js';
import { printLine } from '../terminal.js';

async function resetAdmin(settings: Settings, database: DatabaseSettings): Promise<void> {
  const store = await startEventStore(settings, database, new PinoLogger(settings.logLevel));
  const dataSource = await connectReadSchema(database, 'read');
  const locks = new PostgresLocks(database);
  try {
    const serverId = await readServerId(store);
    const work = async () => ({ password: await recoverAdmin(dataSource, store, serverId) });
    const done = await locks.hold('accounts', work);
    if (!done) throw new StartupError('The accounts are being changed by somebody else. Try again.');
    printLine(
      'The account admin is enabled, has the role admin, and has a new password. It has to be changed at the first sign-in.',
    );
    process.stdout.write(`admin password: ${done.password}\n`);
  } finally {
    await Promise.all([store.close(), locks.close(), dataSource.destroy()]);
  }
}

const HELP = `npm run accounts:reset-admin
For who has lost the password of the last administrator: gives the account admin a new one, enables it and gives it the
role admin. On the server's own machine, whether the server runs or not; it is on record in the audit trail. Takes the
server's own environment variables (ODST_DATA_DIR, DATABASE_URL, EVENTSTOREDB_URL).`;

try {
  const settings = loadSettings(process.env);
  if (process.argv.includes('--help')) printLine(HELP);
  else await withDatabase(settings, (database) => resetAdmin(settings, database));
} catch (error) {
  printLine(
    error instanceof StartupError
      ? error.message
      : `Nothing was changed, or not all of it; run it again: ${String(error)}`,
  );
  process.exitCode = 1;
}
