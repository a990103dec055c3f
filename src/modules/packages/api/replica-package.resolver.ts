import { QueryBus } from '@nestjs/cqrs';
import { Parent, ResolveField, Resolver } from '@nestjs/graphql';
import DataLoader from 'dataloader';
import { Needs } from '../../../platform/auth/needs.decorator.js';
import { Replica } from '../../replication/api/replica.type.js';
import type { PackageView } from '../contracts/package-view.js';
import { PackagesByIdQuery } from '../queries/lookup/package.query.js';
import { Package } from './package.type.js';

@Resolver(() => Replica)
export class ReplicaPackageResolver {
  /** Batches only; nothing is remembered, so one for all requests will do. */
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
