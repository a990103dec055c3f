import { setTimeout as delay } from 'node:timers/promises';
import { Client, escapeIdentifier } from 'pg';
import { StartupError } from '../../../kernel/startup-error.js';
import type { DatabaseSettings } from '../../../ports/database.port.js';
import { errorCode } from '../../shared/errors.js';

/** Key of the session lock that says: this data folder has its server. Any number that nothing else uses. */
const DATA_FOLDER_LOCK = 0x0d57_0001;
/** The session of a process that was killed ends as soon as PostgreSQL sees its connection closed; milliseconds. */
const LOCK_TIMEOUT_MS = 5_000;
const NO_SUCH_DATABASE = '3D000';

/** A session that holds the data folder for this process, so that a second server on it is refused. */
export async function lockDataFolder(settings: DatabaseSettings, folder: string): Promise<Client> {
  const client = await connectToDatabase(settings);
  for (const deadline = Date.now() + LOCK_TIMEOUT_MS; ;) {
    const { rows } = await client.query<{ held: boolean }>('SELECT pg_try_advisory_lock($1) AS held', [
      DATA_FOLDER_LOCK,
    ]);
    if (rows[0]?.held) return client;
    if (Date.now() > deadline) break;
    await delay(50);
  }
  await client.end();
  throw new StartupError(
    `Another server is running with the data folder ${folder}: stop it, or set another ODST_DATA_DIR`,
  );
}

async function connectToDatabase(settings: DatabaseSettings): Promise<Client> {
  const client = new Client(settings);
  // A lost connection is seen by the `end` event.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    if (errorCode(error) !== NO_SUCH_DATABASE) throw error;
    await createDatabase(settings);
    return connectToDatabase(settings);
  }
}

async function createDatabase(settings: DatabaseSettings): Promise<void> {
  const client = new Client({ ...settings, database: 'postgres' });
  await client.connect();
  try {
    await client.query(`CREATE DATABASE ${escapeIdentifier(settings.database)}`);
  } finally {
    await client.end();
  }
}
