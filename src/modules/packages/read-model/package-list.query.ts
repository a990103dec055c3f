import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { DataSource, type SelectQueryBuilder } from 'typeorm';
import { z } from 'zod';
import type { Stage } from '../../../kernel/stage.js';
import { isStorableTime } from '../../../kernel/input-text.js';
import { foldText, isPlain } from '../../../kernel/text.js';
import { checkFirst, decodeCursor, encodeCursor, type Page, pageOf } from '../../../platform/graphql/paging.js';
import type { PackageStatus, PackageView } from '../contracts/package-view.js';
import { PackageEntity } from './package.entity.js';

export const PACKAGE_ORDER_FIELDS = ['FILENAME', 'PUBLISHED_AT', 'SIZE'] as const;
type PackageOrderField = (typeof PACKAGE_ORDER_FIELDS)[number];

export interface PackageOrder {
  readonly field: PackageOrderField;
  readonly direction: 'ASC' | 'DESC';
}

/** A part that is left out does not restrict the list. Without `states`, removed packages are left out. */
export interface PackageFilter {
  /** Text that the filename contains, in upper or lower case. */
  readonly filename?: string | null;
  readonly stages?: readonly Stage[] | null;
  readonly states?: readonly PackageStatus[] | null;
}

/** One page of the list of packages. @throws Refusal INVALID_CURSOR, INVALID_REQUEST */
export class PackagesQuery extends Query<Page<PackageView>> {
  constructor(
    readonly filter: PackageFilter,
    readonly order: PackageOrder,
    readonly first: number,
    readonly after: string | null,
  ) {
    super();
  }
}

/** The number of packages that match a filter. */
export class PackageCountQuery extends Query<number> {
  constructor(readonly filter: PackageFilter) {
    super();
  }
}

type OrderKey = string | number;

interface OrderField {
  readonly property: 'filename' | 'publishedAt' | 'size';
  /** The key as an SQL expression. */
  readonly sql: string;
  readonly key: z.ZodType<OrderKey>;
  keyOf(row: PackageEntity): OrderKey;
}

const ORDER_FIELDS: Readonly<Record<PackageOrderField, OrderField>> = {
  FILENAME: {
    property: 'filename',
    sql: ':key',
    key: z.string().refine(isPlain),
    keyOf: (row) => row.filename,
  },
  PUBLISHED_AT: {
    property: 'publishedAt',
    sql: 'CAST(:key AS timestamptz)',
    key: z.string().refine(isStorableTime),
    keyOf: (row) => row.publishedAt.toISOString(),
  },
  SIZE: { property: 'size', sql: 'CAST(:key AS bigint)', key: z.int().nonnegative(), keyOf: (row) => row.size },
};

const orderName = ({ field, direction }: PackageOrder): string => `${field}_${direction}`;

const cursorOf = (order: PackageOrder, row: PackageEntity): string =>
  encodeCursor({ order: orderName(order), key: ORDER_FIELDS[order.field].keyOf(row), id: row.id });

/** The SQL condition for the rows after a cursor, with its parameters. @throws Refusal INVALID_CURSOR */
function afterCursor(order: PackageOrder, cursor: string): [string, { key: OrderKey; id: string }] {
  const field = ORDER_FIELDS[order.field];
  const { key, id } = decodeCursor(
    cursor,
    z.object({ order: z.literal(orderName(order)), key: field.key, id: z.guid() }),
  );
  const comparison = order.direction === 'ASC' ? '>' : '<';
  return [`(package.${field.property}, package.id) ${comparison} (${field.sql}, CAST(:id AS uuid))`, { key, id }];
}

const orderProperty = (order: PackageOrder): string => `package.${ORDER_FIELDS[order.field].property}`;

/** Starts a query for the packages that match a filter. */
function filterPackages(dataSource: DataSource, filter: PackageFilter): SelectQueryBuilder<PackageEntity> {
  const { filename, stages, states } = filter;
  const query = dataSource.createQueryBuilder(PackageEntity, 'package');
  if (states) query.andWhere('package.state = ANY(:states)', { states });
  else query.andWhere(`package.state <> 'REMOVED'`);
  if (stages) query.andWhere('package.stage = ANY(:stages)', { stages });
  if (filename) query.andWhere('position(:text in package.folded) > 0', { text: foldText(filename) });
  return query;
}

/** Reads keyset pages: rows that are inserted or removed between two pages neither repeat nor hide other rows. */
@QueryHandler(PackagesQuery)
export class PackagesHandler implements IQueryHandler<PackagesQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute({ filter, order, first, after }: PackagesQuery): Promise<Page<PackageView>> {
    const query = filterPackages(this.dataSource, filter)
      .orderBy(orderProperty(order), order.direction)
      .addOrderBy('package.id', order.direction)
      .limit(checkFirst(first) + 1);
    if (after !== null) query.andWhere(...afterCursor(order, after));
    return pageOf(await query.getMany(), { first, after }, (row) => ({ cursor: cursorOf(order, row), node: row }));
  }
}

@QueryHandler(PackageCountQuery)
export class PackageCountHandler implements IQueryHandler<PackageCountQuery> {
  constructor(private readonly dataSource: DataSource) {}

  execute({ filter }: PackageCountQuery): Promise<number> {
    return filterPackages(this.dataSource, filter).getCount();
  }
}
