import type { EntityManager, ObjectLiteral, ValueTransformer } from 'typeorm';
import type { ColumnMetadata } from 'typeorm/metadata/ColumnMetadata.js';
import type { ChunkRange } from '../../kernel/chunk-ranges.js';
import { plainJson } from '../../kernel/text.js';

type EntityClass<T> = new () => T;

const asJson = (value: unknown): unknown => (Buffer.isBuffer(value) ? `\\x${value.toString('hex')}` : (value ?? null));

function storedValue(column: ColumnMetadata, row: ObjectLiteral): unknown {
  const value: unknown = row[column.propertyName];
  const { transformer } = column;
  return asJson(transformer && !Array.isArray(transformer) ? transformer.to(value) : value);
}

/**
 * Inserts rows of an entity, or replaces the rows that have the same primary key, in one statement for any number of
 * rows. Two rows of one call must not have the same key, because PostgreSQL refuses such a statement.
 */
export async function upsertRows<T extends ObjectLiteral>(
  tx: EntityManager,
  entity: EntityClass<T>,
  rows: readonly T[],
): Promise<void> {
  if (rows.length === 0) return;
  const { tableName, columns, primaryColumns } = tx.dataSource.getMetadata(entity);
  const records = rows.map((row) => Object.fromEntries(columns.map((c) => [c.databaseName, storedValue(c, row)])));
  const names = columns.map((column) => column.databaseName);
  const key = primaryColumns.map((column) => column.databaseName);
  const replaced = names.filter((name) => !key.includes(name)).map((name) => `${name} = excluded.${name}`);
  await tx.query(
    `INSERT INTO ${tableName} (${names.join(', ')})
     SELECT ${names.join(', ')} FROM json_populate_recordset(NULL::${tableName}, $1::json)
     ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${replaced.join(', ')}`,
    // The log may contain text that PostgreSQL cannot store. Unchanged, it would make the projection fail for ever.
    [plainJson(JSON.stringify(records))],
  );
}

/** Maps a bigint column to a number, for sizes and counts, which stay below 2^53. */
export const safeBigint: ValueTransformer = {
  to: (value: number | null) => value,
  from: (value: string | null) => (value === null ? null : Number(value)),
};

const INT4_RANGE = /\[(\d+),(\d+)\)/g;

/** Maps an int4multirange column to sorted, disjoint chunk ranges. */
export const rangesColumn: ValueTransformer = {
  to: (runs: readonly ChunkRange[]) => `{${runs.map((run) => `[${run.first},${run.first + run.count})`).join(',')}}`,
  from: (text: string): ChunkRange[] =>
    [...text.matchAll(INT4_RANGE)].map(([, from, to]) => ({ first: Number(from), count: Number(to) - Number(from) })),
};
