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

/** Servers that a package is usually on. */
const USUAL_REPLICAS = 5;

@Resolver(() => Package)
export class PackageReplicasResolver {
  /** Batches only; nothing is remembered, so one for all requests will do. */
  private readonly replicasOf = new DataLoader<string, readonly ReplicaView[]>(
    (packageIds) => this.queries.execute(new ReplicasQuery(packageIds)),
    { cache: false, maxBatchSize: 100 },
  );

  constructor(private readonly queries: QueryBus) {}

  @Needs('read')
  @ResolveField(() => [Replica], {
    description: 'Where copies of it are, as far as this server knows: its own first.',
    complexity: listCost(USUAL_REPLICAS),
  })
  replicas(@Parent() { id }: Package): Promise<readonly Replica[]> {
    return this.replicasOf.load(id);
  }

  @Needs('read')
  @ResolveField(() => [LineageStep], {
    description:
      'Through whom it came here: from the server it was uploaded on to this one. Empty while it is not here.',
    complexity: 10,
  })
  async lineage(@Parent() { id }: Package): Promise<readonly LineageStep[]> {
    return (await this.replicasOf.load(id)).find(({ local }) => local)?.lineage ?? [];
  }
}

@Resolver(() => Replica)
export class ReplicaPackageResolver {
  /** Batches only; nothing is remembered, so one for all requests will do. */
  private readonly packages = new DataLoader<string, PackageView | null>(
    (ids) => this.queries.execute<PackagesByIdQuery, readonly (PackageView | null)[]>(new PackagesByIdQuery(ids)),
    { cache: false, maxBatchSize: 100 },
  );

  constructor(private readonly queries: QueryBus) {}

  @Needs('read')
  @ResolveField(() => Package, { nullable: true, description: 'The package that it is a copy of.' })
  package(@Parent() { packageId }: Replica): Promise<Package | null> {
    return this.packages.load(packageId);
  }
}
