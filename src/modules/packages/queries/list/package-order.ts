import { z } from 'zod';
import { decodeCursor, encodeCursor } from '../../../../platform/paging/cursor.js';
import type { PackageEntity } from '../../projections/packages/package.entity.js';
import type { PackageOrder, PackageOrderField } from './packages.query.js';

type OrderKey = string | number;

interface OrderField {
  readonly property: 'filename' | 'publishedAt' | 'size';
  /** How a key is written in SQL. */
  readonly sql: string;
  readonly key: z.ZodType<OrderKey>;
  keyOf(row: PackageEntity): OrderKey;
}

const ORDER_FIELDS: Readonly<Record<PackageOrderField, OrderField>> = {
  FILENAME: {
    property: 'filename',
    sql: ':key',
    key: z.string().refine((text) => !text.includes('\0')),
    keyOf: (row) => row.filename,
  },
  PUBLISHED_AT: {
    property: 'publishedAt',
    sql: 'CAST(:key AS timestamptz)',
    key: z.iso.datetime(),
    keyOf: (row) => row.publishedAt.toISOString(),
  },
  SIZE: { property: 'size', sql: 'CAST(:key AS bigint)', key: z.int().nonnegative(), keyOf: (row) => row.size },
};

const orderName = ({ field, direction }: PackageOrder): string => `${field}_${direction}`;

export const cursorOf = (order: PackageOrder, row: PackageEntity): string =>
  encodeCursor({ order: orderName(order), key: ORDER_FIELDS[order.field].keyOf(row), id: row.id });

/** The SQL condition for what comes after a cursor, with its parameters. @throws Refusal INVALID_CURSOR */
export function afterCursor(order: PackageOrder, cursor: string): [string, { key: OrderKey; id: string }] {
  const field = ORDER_FIELDS[order.field];
  const { key, id } = decodeCursor(
    cursor,
    z.object({ order: z.literal(orderName(order)), key: field.key, id: z.guid() }),
  );
  const comparison = order.direction === 'ASC' ? '>' : '<';
  return [`(package.${field.property}, package.id) ${comparison} (${field.sql}, CAST(:id AS uuid))`, { key, id }];
}

export const orderProperty = (order: PackageOrder): string => `package.${ORDER_FIELDS[order.field].property}`;
