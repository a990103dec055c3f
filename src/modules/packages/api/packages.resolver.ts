import { QueryBus } from '@nestjs/cqrs';
import { Args, Field, ID, InputType, Int, ObjectType, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { Refusal } from '../../../kernel/errors.js';
import { Needs } from '../../../platform/access/needs.decorator.js';
import { optionalText, textArgument, uuidArgument } from '../../../platform/graphql/arguments.js';
import { connectionOf, edgeOf, PageArgs, StageName } from '../../../platform/graphql/common.types.js';
import { connectionCost } from '../../../platform/graphql/cost-limit.js';
import {
  type PackageFilter as Filter,
  PackageCountQuery,
  PackagesQuery,
  PACKAGE_ORDER_FIELDS,
} from '../read-model/package-list.query.js';
import { PackagesByIdQuery } from '../contracts/package-queries.js';
import { PackageByFilenameQuery } from '../read-model/package-lookup.query.js';
import { Package, PackageStateName } from './package.type.js';
import { enumOf } from '../../../platform/graphql/enum-of.js';
import type { Stage } from '../../../kernel/stage.js';
import type { PackageStatus } from '../contracts/package-view.js';

const PackageOrderFieldName = enumOf('PackageOrderField', PACKAGE_ORDER_FIELDS, {
  type: 'The field by which a list of packages is sorted.',
});
const ORDER_DIRECTIONS = ['ASC', 'DESC'] as const;
const OrderDirection = enumOf('OrderDirection', ORDER_DIRECTIONS, { type: 'Ascending or descending order.' });

@InputType({ description: 'Which packages to list. A field that is left out does not restrict the list.' })
class PackageFilter {
  @Field(() => String, { nullable: true, description: 'Text that the filename contains, in upper or lower case.' })
  filename?: string | null;

  @Field(() => [StageName], { nullable: true, description: 'List only packages of these stages.' })
  stage?: Stage[] | null;

  @Field(() => [PackageStateName], {
    nullable: true,
    description: 'List only packages in these states. When left out, all packages except removed ones are listed.',
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

@ObjectType({ description: 'One page of the list of packages.' })
class PackageConnection extends connectionOf(PackageEdge) {}

/** A page together with its filter, which `totalCount` needs. */
type FilteredPage = PackageConnection & { readonly filter: Filter };

const DEFAULT_ORDER: PackageOrder = { field: PackageOrderFieldName.FILENAME, direction: OrderDirection.ASC };

@Resolver(() => PackageConnection)
export class PackagesResolver {
  constructor(private readonly queries: QueryBus) {}

  @Needs('read')
  @Query(() => PackageConnection, { description: 'The packages that this server knows.', complexity: connectionCost })
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
  @ResolveField(() => Int, { description: 'Number of packages on all pages together.', complexity: 100 })
  totalCount(@Parent() { filter }: FilteredPage): Promise<number> {
    return this.queries.execute(new PackageCountQuery(filter));
  }

  @Needs('read')
  @Query(() => Package, {
    nullable: true,
    description:
      'One package, by its id or by a filename. A filename gives the package that is served under it, or else the last one ' +
      'that was published under it.',
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
    throw new Refusal('INVALID_REQUEST', 'Give either `id` or `filename`.');
  }
}
