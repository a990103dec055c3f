import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { inject } from 'vitest';
import { PgDatabase } from '../../src/adapters/shared/pg-session.js';
import { migrate } from '../../src/server/boot/data-source.js';
import type { DatabaseSettings } from '../../src/ports/database.port.js';

export interface TestDatabase {
  readonly settings: DatabaseSettings;
  /** Disconnects everybody and removes it. */
  drop(): Promise<void>;
}

/** The port to a database that nobody has to stop. */
export class TestDatabasePort extends PgDatabase {
  constructor(readonly settings: DatabaseSettings) {
    super();
  }
  async stop(): Promise<void> {}
}

/** A fresh database with all migrations run. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const database = await createEmptyDatabase();
  await migrate(database.settings);
  return database;
}

/** A fresh database with nothing in it. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await asAdmin((client) => client.query(`CREATE DATABASE ${name}`));
  return {
    settings: { ...inject('postgres'), database: name },
    drop: () => asAdmin((client) => client.query(`DROP DATABASE ${name} WITH (FORCE)`)),
  };
}

async function asAdmin(work: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client(inject('postgres'));
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
