import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { StartupError } from '../../kernel/startup-error.js';
import type { DatabaseSettings } from '../../ports/database.port.js';

/** "odst", as the number of an advisory lock. */
const LOCK = 0x6f647374;
/** A process that was killed leaves its database session behind for a moment. */
const PATIENCE_MS = 10_000;

/**
 * Makes sure that one server process works on this database, for as long as the returned client lives.
 * @throws StartupError when another one does
 */
export async function beTheOnlyServer(database: DatabaseSettings, dataDir: string): Promise<pg.Client> {
  const client = new pg.Client({ ...database, application_name: 'odst lock', keepAlive: true });
  client.on('error', () => undefined);
  await client.connect();
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await lock(client))) {
    if (Date.now() > deadline) {
      await client.end();
      throw new StartupError(
        `Another server process uses the data of ${dataDir}. Stop it, or set ODST_DATA_DIR to another folder.`,
      );
    }
    await delay(100);
  }
  return client;
}

async function lock(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1) AS locked', [LOCK]);
  return rows[0]?.locked ?? false;
}
