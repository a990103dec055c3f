import { DataSource } from 'typeorm';
import { migrations } from '../../../migrations/index.js';
import type { DatabaseSettings } from '../../ports/database.port.js';
import { dataSourceOptions } from './data-source-options.js';

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
