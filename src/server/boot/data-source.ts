import { existsSync, readdirSync } from 'node:fs';
import { Client } from 'pg';
import { DataSource, type DataSourceOptions, getMetadataArgsStorage, type MigrationInterface } from 'typeorm';
import type { DatabaseSettings } from '../../ports/database.port.js';

/**
 * The schema of the current read models, the schema in which a rebuild creates their successors, and the schemas in which a
 * copied log is compared with its source.
 */
type ReadSchema = 'read' | 'read_next' | 'copy_from' | 'copy_to';

const POOL_SIZE = 16;

/**
 * Read-model entities name no schema: the search path says which one it is. `state` tables name theirs.
 * Entities are added by Nest's `autoLoadEntities`.
 */
export function dataSourceOptions(database: DatabaseSettings, schema: ReadSchema) {
  const { user, database: name, ...rest } = database;
  return {
    type: 'postgres',
    ...rest,
    username: user,
    database: name,
    poolSize: POOL_SIZE,
    applicationName: `odst ${schema}`,
    extra: { options: `-c search_path=${schema}`, keepAlive: true },
    synchronize: false,
    logging: false,
  } as const satisfies DataSourceOptions;
}

/** Opens a few connections whose search path is a schema of read models, for tools. The entities must have been imported. */
export function connectReadSchema(database: DatabaseSettings, schema: ReadSchema): Promise<DataSource> {
  const entities = getMetadataArgsStorage().tables.map((table) => table.target);
  return new DataSource({ ...dataSourceOptions(database, schema), poolSize: 2, entities }).initialize();
}

/** Works with one connection of its own, for what is asked before the data sources are there. */
export async function withBootClient<T>(database: DatabaseSettings, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ ...database, application_name: 'odst boot' });
  // The query in progress reports a connection that is lost. Without a listener the process would end with a stack trace.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const MIGRATION_FILE = /^\d{13}-[a-z0-9-]+\.(?:js|ts)$/;

const migrationFiles = (folder: URL): readonly string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => MIGRATION_FILE.test(name))
        .sort()
    : [];

/** The folder `migrations` of the source tree, or of the compiled program: the nearest one above this file. */
function findMigrationsFolder(below = new URL('./', import.meta.url)): URL {
  const folder = new URL('migrations/', below);
  if (migrationFiles(folder).length > 0) return folder;
  const parent = new URL('../', below);
  if (parent.href === below.href) throw new Error('The folder with the migrations is missing.');
  return findMigrationsFolder(parent);
}

type MigrationClass = new () => MigrationInterface;

const isMigration = (value: unknown): value is MigrationClass =>
  typeof value === 'function' && /\d{13}$/.test(value.name);

/** The migration in a file. @throws Error when the file contains none, since its table would then be missing */
async function loadMigration(name: string, folder: URL): Promise<MigrationClass> {
  const module = (await import(/* @vite-ignore */ new URL(name, folder).href)) as object;
  const migration = Object.values(module).find(isMigration);
  if (!migration) throw new Error(`${name} exports no class whose name ends in the 13 digits of the file.`);
  return migration;
}

/**
 * The migrations of a folder, one file each, in the order of the times in their names.
 * @throws Error when a file has a name by which it would not be found
 */
export async function loadMigrations(folder = findMigrationsFolder()): Promise<readonly MigrationClass[]> {
  const names = migrationFiles(folder);
  const wrong = readdirSync(folder).find((name) => /\.(?:js|ts)$/.test(name) && !names.includes(name));
  if (wrong !== undefined)
    throw new Error(
      `The name of the migration ${wrong} must be 13 digits, a hyphen, and lower-case words with hyphens.`,
    );
  return Promise.all(names.map((name) => loadMigration(name, folder)));
}

/**
 * Migrates the database to the version of this program. It uses a data source of its own, because TypeORM keeps its list of
 * migrations in the schema of the data source, and this schema would otherwise also apply to every entity.
 */
export async function migrate(database: DatabaseSettings, migrations = loadMigrations()): Promise<void> {
  const dataSource = new DataSource({
    ...dataSourceOptions(database, 'read'),
    schema: 'state',
    poolSize: 2,
    migrations: [...(await migrations)],
    migrationsTableName: 'migrations',
  });
  await dataSource.initialize();
  try {
    await dataSource.query('CREATE SCHEMA IF NOT EXISTS state');
    await dataSource.runMigrations({ transaction: 'each' });
  } finally {
    await dataSource.destroy();
  }
}
