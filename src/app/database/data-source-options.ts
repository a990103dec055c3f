import type { DataSourceOptions } from 'typeorm';
import type { DatabaseSettings } from '../../ports/database.port.js';

/**
 * The schema of the read models that are served, the one in which a rebuild makes their successors, and those in which
 * a copied log is compared with its source.
 */
export type ReadSchema = 'read' | 'read_next' | 'copy_from' | 'copy_to';

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
