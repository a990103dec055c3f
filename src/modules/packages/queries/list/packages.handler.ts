import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import { checkFirst, pageOf, type Page } from '../../../../platform/paging/page.js';
import type { PackageView } from '../../contracts/package-view.js';
import { filterPackages } from './filter-packages.js';
import { afterCursor, cursorOf, orderProperty } from './package-order.js';
import { PackageCountQuery, PackagesQuery } from './packages.query.js';

/** Keyset pages: what is inserted or removed in between neither repeats nor hides a row. */
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
