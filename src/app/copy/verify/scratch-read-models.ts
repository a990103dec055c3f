import type { DataSource } from 'typeorm';
import { foldHistory, makeReadTables } from '../../../platform/projections/running/fold.js';
import type { DatabaseSettings } from '../../../ports/database.port.js';
import { connectReadSchema } from '../../database/connect-read-schema.js';
import { allProjections } from '../../rebuild/read-models.js';
import { compareTables } from './compare-tables.js';
import type { ReadableLog } from './log-up-to.js';

export const SCRATCH_SCHEMAS = ['copy_from', 'copy_to'] as const;

/**
 * Builds the read models of both logs in schemas of their own, which are dropped again, and compares them row by row.
 * @param database a PostgreSQL with this program's tables; those that are served are not touched
 * @returns how many rows are the same @throws StartupError with the first difference
 */
export async function compareReadModels(
  database: DatabaseSettings,
  source: ReadableLog,
  target: ReadableLog,
): Promise<number> {
  const projections = allProjections();
  const [live, ...scratch] = await Promise.all(
    (['read', ...SCRATCH_SCHEMAS] as const).map((schema) => connectReadSchema(database, schema)),
  );
  if (!live) throw new Error('unreachable');
  try {
    for (const schema of SCRATCH_SCHEMAS) await makeReadTables(live, schema, projections);
    await Promise.all([source, target].map((log, i) => buildReadModels(scratch[i], log)));
    return await compareTables(
      live,
      projections.flatMap(({ tables }) => tables),
    );
  } finally {
    await Promise.all(scratch.map((tables) => tables.destroy()));
    for (const schema of SCRATCH_SCHEMAS) await live.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    await live.destroy();
  }
}

async function buildReadModels(tables: DataSource | undefined, log: ReadableLog): Promise<void> {
  if (!tables) throw new Error('unreachable');
  for (const projection of allProjections()) await foldHistory(tables, projection, log);
}
