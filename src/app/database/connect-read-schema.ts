import { DataSource, getMetadataArgsStorage } from 'typeorm';
import type { DatabaseSettings } from '../../ports/database.port.js';
import { dataSourceOptions, type ReadSchema } from './data-source-options.js';

/** A few connections whose search path is a schema of read models, for tools. The entities must have been imported. */
export function connectReadSchema(database: DatabaseSettings, schema: ReadSchema): Promise<DataSource> {
  const entities = getMetadataArgsStorage().tables.map((table) => table.target);
  return new DataSource({ ...dataSourceOptions(database, schema), poolSize: 2, entities }).initialize();
}
