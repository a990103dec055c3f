import { QueryBus } from '@nestjs/cqrs';
import { Args, ID, Int, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { Refusal } from '../../../kernel/refusal.js';
import { Needs } from '../../../platform/auth/needs.decorator.js';
import { optionalText, textArgument, uuidArgument } from '../../../platform/graphql/arguments.js';
import { connectionCost } from '../../../platform/graphql/limits/cost-limit.js';
import { PageArgs } from '../../../platform/graphql/types/page.args.js';
import { PackageCountQuery, PackagesQuery, type PackageFilter as Filter } from '../queries/list/packages.query.js';
import { PackageByFilenameQuery, PackagesByIdQuery } from '../queries/lookup/package.query.js';
import {
  OrderDirection,
  PackageConnection,
  PackageFilter,
  PackageOrder,
  PackageOrderFieldName,
} from './package-list.types.js';
import { Package } from './package.type.js';

/** A page that remembers its filter, for `totalCount`. */
type FilteredPage = PackageConnection & { readonly filter: Filter };

const DEFAULT_ORDER: PackageOrder = { field: PackageOrderFieldName.FILENAME, direction: OrderDirection.ASC };

@Resolver(() => PackageConnection)
export class PackagesResolver {
  constructor(private readonly queries: QueryBus) {}

  @Needs('read')
  @Query(() => PackageConnection, { description: 'Packages known to this server.', complexity: connectionCost })
  async packages(
    @Args() { first, after }: PageArgs,
    @Args('filter', { type: () => PackageFilter, nullable: true }) filter?: PackageFilter | null,
    @Args('orderBy', { type: () => PackageOrder, nullable: true, defaultValue: DEFAULT_ORDER })
    orderBy?: PackageOrder | null,
  ): Promise<FilteredPage> {
    const wanted = {
      filename: optionalText('filename', filter?.filename),
      stages: filter?.stage,
      states: filter?.state,
    };
    const page = await this.queries.execute(new PackagesQuery(wanted, orderBy ?? DEFAULT_ORDER, first, after ?? null));
    return { ...page, filter: wanted };
  }

  @Needs('read')
  @ResolveField(() => Int, { description: 'Packages on all pages together.', complexity: 100 })
  totalCount(@Parent() { filter }: FilteredPage): Promise<number> {
    return this.queries.execute(new PackageCountQuery(filter));
  }

  @Needs('read')
  @Query(() => Package, {
    nullable: true,
    description: 'One package, by its id or by the filename that it is served under (else last published under).',
  })
  async package(
    @Args('id', { type: () => ID, nullable: true }) id?: string | null,
    @Args('filename', { type: () => String, nullable: true }) filename?: string | null,
  ): Promise<Package | null> {
    if (typeof id === 'string' && typeof filename !== 'string') {
      const [found] = await this.queries.execute(new PackagesByIdQuery([uuidArgument('id', id)]));
      return found ?? null;
    }
    if (typeof filename === 'string' && typeof id !== 'string') {
      return this.queries.execute(new PackageByFilenameQuery(textArgument('filename', filename)));
    }
    throw new Refusal('INVALID_REQUEST', 'Ask for a package either by `id` or by `filename`.');
  }
}
