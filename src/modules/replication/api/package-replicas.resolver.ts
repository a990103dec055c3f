import { QueryBus } from '@nestjs/cqrs';
import { Parent, ResolveField, Resolver } from '@nestjs/graphql';
import DataLoader from 'dataloader';
import { Needs } from '../../../platform/access/needs.decorator.js';
import { listCost } from '../../../platform/graphql/cost-limit.js';
import { Package } from '../../packages/api/package.type.js';
import { PackagesByIdQuery } from '../../packages/contracts/package-queries.js';
import type { PackageView } from '../../packages/contracts/package-view.js';
import type { ReplicaView } from '../contracts/replica-view.js';
import { ReplicasQuery } from '../read-model/replicas.query.js';
import { LineageStep, Replica } from './replica.type.js';

/** Number of servers that usually hold a package. */
const USUAL_REPLICAS = 5;

@Resolver(() => Package)
export class PackageReplicasResolver {
  /** The loader only collects the look-ups of one moment and remembers nothing, so that all requests can share it. */
  private readonly replicasOf = new DataLoader<string, readonly ReplicaView[]>(
    (packageIds) => this.queries.execute(new ReplicasQuery(packageIds)),
    { cache: false, maxBatchSize: 100 },
  );

  constructor(private readonly queries: QueryBus) {}

  @Needs('read')
  @ResolveField(() => [Replica], {
    description: 'The copies of the package that this server knows, its own copy first.',
    complexity: listCost(USUAL_REPLICAS),
  })
  replicas(@Parent() { id }: Package): Promise<readonly Replica[]> {
    return this.replicasOf.load(id);
  }

  @Needs('read')
  @ResolveField(() => [LineageStep], {
    description:
      'The servers that the package came through, from the server of the upload to this one. Empty while this server does not hold it.',
    complexity: 10,
  })
  async lineage(@Parent() { id }: Package): Promise<readonly LineageStep[]> {
    return (await this.replicasOf.load(id)).find(({ local }) => local)?.lineage ?? [];
  }
}

@Resolver(() => Replica)
export class ReplicaPackageResolver {
  /** The loader only collects the look-ups of one moment and remembers nothing, so that all requests can share it. */
  private readonly packages = new DataLoader<string, PackageView | null>(
    (ids) => this.queries.execute(new PackagesByIdQuery(ids)),
    { cache: false, maxBatchSize: 100 },
  );

  constructor(private readonly queries: QueryBus) {}

  @Needs('read')
  @ResolveField(() => Package, { nullable: true, description: 'The package that it is a copy of.' })
  package(@Parent() { packageId }: Replica): Promise<Package | null> {
    return this.packages.load(packageId);
  }
}
