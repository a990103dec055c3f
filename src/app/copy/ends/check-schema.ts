import { Client } from 'pg';
import { migrations } from '../../../../migrations/index.js';
import { StartupError } from '../../../kernel/startup-error.js';
import type { DatabaseSettings } from '../../../ports/database.port.js';

/**
 * Is this a database of this program, at this version? A source is read only, so it is not migrated: its server would
 * find tables that it does not know. @throws StartupError
 */
export async function checkSchema(database: DatabaseSettings, label: string): Promise<void> {
  const client = new Client(database);
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows: found } = await client.query<{ table: string | null }>(
      "SELECT to_regclass('state.migrations')::text AS table",
    );
    if (!found[0]?.table)
      throw new StartupError(`--from: ${label} is not a database of this program: it has no event log.`);
    const { rows } = await client.query<{ name: string }>('SELECT name FROM state.migrations');
    const run = new Set(rows.map(({ name }) => name));
    if (migrations.every(({ name }) => run.has(name))) return;
    throw new StartupError(
      `--from: ${label} was made by an earlier version of this program. Start this version of the server on it once.`,
    );
  } finally {
    await client.end();
  }
}
