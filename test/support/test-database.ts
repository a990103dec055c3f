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
  await (template ??= makeTemplate());
  return createDatabase(`TEMPLATE ${TEMPLATE}`);
}

/** A fresh database with nothing in it. */
export const createEmptyDatabase = (): Promise<TestDatabase> => createDatabase();

/** A fresh database with all migrations run, for which only the letters of ASCII are letters. */
export async function createDatabaseInC(): Promise<TestDatabase> {
  const database = await createDatabase(`TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER libc LOCALE 'C'`);
  await migrate(database.settings);
  return database;
}

/** The name of a database that nobody uses, with all migrations run. A copy of it is made faster than the migrations run. */
const TEMPLATE = 'test_template';
let template: Promise<void> | undefined;

/** Makes the template, unless another process of this run has made it. */
async function makeTemplate(): Promise<void> {
  const draft = `${TEMPLATE}_draft`;
  await asAdmin(async (client) => {
    await client.query('SELECT pg_advisory_lock(hashtext($1))', [TEMPLATE]);
    const { rows } = await client.query('SELECT FROM pg_database WHERE datname = $1', [TEMPLATE]);
    if (rows.length > 0) return;
    await client.query(`DROP DATABASE IF EXISTS ${draft}`);
    await client.query(`CREATE DATABASE ${draft}`);
    await migrate({ ...inject('postgres'), database: draft });
    await client.query(`ALTER DATABASE ${draft} RENAME TO ${TEMPLATE}`);
  });
}

async function createDatabase(options = ''): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await asAdmin((client) => client.query(`CREATE DATABASE ${name} ${options}`));
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
