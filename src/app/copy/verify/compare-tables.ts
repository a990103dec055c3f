import type { DataSource } from 'typeorm';
import { StartupError } from '../../../kernel/startup-error.js';

interface Difference {
  readonly side: string;
  readonly row: string;
}

/** Longest part of a row that is shown, in characters. */
const MAX_SHOWN_CHARACTERS = 300;

/**
 * Compares tables of both scratch schemas. `checkpoints` is none of them: it alone holds cursors, which mean something
 * only in the log that they are of. @returns how many rows there are @throws StartupError with the first difference
 */
export async function compareTables(database: DataSource, tables: readonly string[]): Promise<number> {
  let count = 0;
  for (const table of tables) {
    const differences: Difference[] = await database.query(differencesSql(table));
    const [first] = differences;
    if (first)
      throw new StartupError(
        `The read models differ: ${table} of the ${first.side} has the row ${first.row.slice(0, MAX_SHOWN_CHARACTERS)}`,
      );
    const rows: { count: string }[] = await database.query(`SELECT count(*) AS count FROM copy_to.${table}`);
    count += Number(rows[0]?.count ?? 0);
  }
  return count;
}

const differencesSql = (table: string): string => `
WITH ours AS (SELECT t::text AS row FROM copy_from.${table} t), theirs AS (SELECT t::text AS row FROM copy_to.${table} t)
SELECT * FROM (
  SELECT 'source' AS side, row FROM (SELECT row FROM ours EXCEPT ALL SELECT row FROM theirs) a
  UNION ALL
  SELECT 'target', row FROM (SELECT row FROM theirs EXCEPT ALL SELECT row FROM ours) b
) d ORDER BY row LIMIT 1`;
