import type { EntityManager, ObjectLiteral } from 'typeorm';
import type { ColumnMetadata } from 'typeorm/metadata/ColumnMetadata.js';
import { plainJson } from '../../kernel/text/plain-text.js';

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
