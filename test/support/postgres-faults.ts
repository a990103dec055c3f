import { Client } from 'pg';
import type { DatabaseSettings } from '../../src/ports/database.port.js';

/** Ends the sessions of one application name, or all but our own. */
export async function disconnect(settings: DatabaseSettings, applicationName: string | null = null): Promise<void> {
  await using(settings, (client) =>
    client.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()
       AND pid <> pg_backend_pid() AND ($1::text IS NULL OR application_name = $1)`,
      [applicationName],
    ),
  );
}

/**
 * What pg_dump and pg_restore of the schema's data do, row by row as text in no particular order: the pg_dump of the
 * machine may be older than the server and then refuses.
 */
export async function copyLog(from: DatabaseSettings, to: DatabaseSettings): Promise<void> {
  for (const table of ['log.events', 'log.epoch']) {
    const rows = await using(from, async (client) => {
      const { rows } = await client.query<{ row: string }>(
        `SELECT t::text AS row FROM ${table} t ORDER BY md5(t::text)`,
      );
      return rows.map(({ row }) => row);
    });
    await using(to, (client) =>
      client.query(`INSERT INTO ${table} SELECT (r::${table}).* FROM unnest($1::text[]) r`, [rows]),
    );
  }
}

async function using<T>(settings: DatabaseSettings, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client(settings);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
