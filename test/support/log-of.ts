import { Client } from 'pg';
import { runningSettings } from '../../src/adapters/database/embedded/embedded-database.js';
import type { ServerUnderTest } from './server-under-test.js';

/** One statement in the database of a running server. */
export async function queryDatabase<T extends object>(
  server: ServerUnderTest,
  sql: string,
  values: readonly unknown[] = [],
): Promise<T[]> {
  const settings = await runningSettings(server.dataDir);
  if (!settings) throw new Error(`${server.name} has no database that runs`);
  const client = new Client(settings);
  await client.connect();
  try {
    return (await client.query<T>(sql, [...values])).rows;
  } finally {
    await client.end();
  }
}

export interface LoggedEvent {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The events of one package in the log of a running server, of its own stream and its replica's, in order. */
export const eventsOf = (server: ServerUnderTest, packageId: string): Promise<LoggedEvent[]> =>
  queryDatabase(server, `SELECT type, data FROM log.events WHERE stream = ANY ($1) ORDER BY position`, [
    [`package-${packageId}`, `replica-${packageId}`],
  ]);
