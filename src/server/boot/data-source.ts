import { DataSource, type DataSourceOptions, getMetadataArgsStorage } from 'typeorm';
import { migrations } from '../../../migrations/index.js';
import type { DatabaseSettings } from '../../ports/database.port.js';

/**
 * The schema of the read models that are served, the one in which a rebuild makes their successors, and those in which
 * a copied log is compared with its source.
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

/** A few connections whose search path is a schema of read models, for tools. The entities must have been imported. */
export function connectReadSchema(database: DatabaseSettings, schema: ReadSchema): Promise<DataSource> {
  const entities = getMetadataArgsStorage().tables.map((table) => table.target);
  return new DataSource({ ...dataSourceOptions(database, schema), poolSize: 2, entities }).initialize();
}

/**
 * Brings the database up to this program's version. In a data source of its own: the schema set here is where TypeORM
 * keeps its list of migrations, and would otherwise also become that of every entity.
 */
export async function migrate(database: DatabaseSettings): Promise<void> {
  const dataSource = new DataSource({
    ...dataSourceOptions(database, 'read'),
    schema: 'state',
    poolSize: 2,
    migrations,
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
