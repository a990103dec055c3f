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
 * Inserts rows of an entity, or replaces those whose primary key is there, in one statement for any number of rows.
 * No key may come twice in one call.
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
    // The log keeps any text; a table that could not would stop its projection for good.
    [plainJson(JSON.stringify(records))],
  );
}

/** A bigint column as a number; sizes and counts stay below 2^53. */
export const safeBigint: ValueTransformer = {
  to: (value: number | null) => value,
  from: (value: string | null) => (value === null ? null : Number(value)),
};

const INT4_RANGE = /\[(\d+),(\d+)\)/g;

/** An int4multirange column as sorted, disjoint runs. */
export const runsColumn: ValueTransformer = {
  to: (runs: readonly ChunkRange[]) => `{${runs.map((run) => `[${run.first},${run.first + run.count})`).join(',')}}`,
  from: (text: string): ChunkRange[] =>
    [...text.matchAll(INT4_RANGE)].map(([, from, to]) => ({ first: Number(from), count: Number(to) - Number(from) })),
};
