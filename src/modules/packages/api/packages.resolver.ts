import { QueryBus } from '@nestjs/cqrs';
import { Args, Field, ID, InputType, Int, ObjectType, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { Refusal } from '../../../kernel/errors.js';
import { Needs } from '../../../platform/access/needs.decorator.js';
import { optionalText, textArgument, uuidArgument } from '../../../platform/graphql/arguments.js';
import { connectionOf, edgeOf, PageArgs, StageName } from '../../../platform/graphql/common.types.js';
import { connectionCost } from '../../../platform/graphql/cost-limit.js';
import {
  PACKAGE_ORDER_FIELDS,
  type PackageFilter as Filter,
  PackageCountQuery,
  PackagesQuery,
} from '../read-model/package-list.query.js';
import { PackageByFilenameQuery, PackagesByIdQuery } from '../read-model/package-lookup.query.js';
import { Package, PackageStateName } from './package.type.js';
import { enumOf } from '../../../platform/graphql/enum-of.js';
import type { Stage } from '../../../kernel/stage.js';
import type { PackageStatus } from '../contracts/package-view.js';

const PackageOrderFieldName = enumOf('PackageOrderField', PACKAGE_ORDER_FIELDS, {
  type: 'What a list of packages is sorted by.',
});
const ORDER_DIRECTIONS = ['ASC', 'DESC'] as const;
const OrderDirection = enumOf('OrderDirection', ORDER_DIRECTIONS, { type: 'Ascending or descending.' });

@InputType({ description: 'Which packages to list. What is left out does not restrict.' })
class PackageFilter {
  @Field(() => String, { nullable: true, description: 'Text that the filename contains, in any case.' })
  filename?: string | null;

  @Field(() => [StageName], { nullable: true, description: 'One or more stages.' })
  stage?: Stage[] | null;

  @Field(() => [PackageStateName], {
    nullable: true,
    description: 'One or more states; all but REMOVED when left out.',
  })
  state?: PackageStatus[] | null;
}

@InputType({ description: 'How to sort a list of packages.' })
class PackageOrder {
  @Field(() => PackageOrderFieldName, { defaultValue: PackageOrderFieldName.FILENAME })
  field!: keyof typeof PackageOrderFieldName;

  @Field(() => OrderDirection, { defaultValue: OrderDirection.ASC })
  direction!: keyof typeof OrderDirection;
}

const PackageEdge = edgeOf(Package, 'Package');

@ObjectType({ description: 'A page of the list of packages.' })
class PackageConnection extends connectionOf(PackageEdge) {}

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
