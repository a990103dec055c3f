import { Client } from 'pg';
import type { DatabaseSettings } from '../../src/ports/database.port.js';

/** Every row of every table of a schema, as text, in an order of their own. */
export async function dumpTables(database: DatabaseSettings, schema: string): Promise<Record<string, string[]>> {
  const client = new Client(database);
  await client.connect();
  try {
    const { rows: tables } = await client.query<{ name: string }>(
      'SELECT tablename AS name FROM pg_tables WHERE schemaname = $1 ORDER BY 1',
      [schema],
    );
    const dump: Record<string, string[]> = {};
    for (const { name } of tables) {
      const { rows } = await client.query<{ row: string }>(
        `SELECT t::text AS row FROM "${schema}"."${name}" t ORDER BY 1`,
      );
      dump[name] = rows.map(({ row }) => row);
    }
    return dump;
  } finally {
    await client.end();
  }
}
