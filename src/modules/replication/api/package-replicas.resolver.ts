import { QueryBus } from '@nestjs/cqrs';
import { Parent, ResolveField, Resolver } from '@nestjs/graphql';
import DataLoader from 'dataloader';
import { Needs } from '../../../platform/access/needs.decorator.js';
import { listCost } from '../../../platform/graphql/cost-limit.js';
import { ServerReference } from '../../../platform/graphql/common.types.js';
import { FactSignature } from '../../packages/api/fact-signature.type.js';
import { Package } from '../../packages/api/package.type.js';
import { type FactSignatureView, PackageSignaturesQuery } from '../../packages/contracts/fact-signatures.js';
import { PackagesByIdQuery } from '../../packages/contracts/package-queries.js';
import type { PackageView } from '../../packages/contracts/package-view.js';
import type { ReplicaView } from '../contracts/replica-view.js';
import { RefusingPeersQuery } from '../read-model/refused.query.js';
import { ReplicasQuery } from '../read-model/replicas.query.js';
import { LineageStep, Replica } from './replica.type.js';

/** Number of servers that usually hold a package. */
const USUAL_REPLICAS = 5;

/** The lineage of a copy, in which each step knows the package, so that its signature can be found. */
const ofPackage = ({ packageId, lineage }: Pick<ReplicaView, 'packageId' | 'lineage'>): readonly LineageStep[] =>
  lineage.map((step) => ({ ...step, packageId }));

@Resolver(() => Package)
export class PackageReplicasResolver {
  /** The loader only collects the look-ups of one moment and remembers nothing, so that all requests can share it. */
  private readonly replicasOf = new DataLoader<string, readonly ReplicaView[]>(
    (packageIds) => this.queries.execute(new ReplicasQuery(packageIds)),
    { cache: false, maxBatchSize: 100 },
  );

  private readonly refusingPeers = new DataLoader<string, readonly ServerReference[]>(
    (packageIds) => this.queries.execute(new RefusingPeersQuery(packageIds)),
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
    const own = (await this.replicasOf.load(id)).find(({ local }) => local);
    return own ? ofPackage(own) : [];
  }

  @Needs('read')
  @ResolveField(() => [ServerReference], {
    description:
      'The peers that refuse what this server tells of the package, because of the rights that they give. There it may be ' +
      'missing, still be present, or have another stage.',
    complexity: listCost(USUAL_REPLICAS),
  })
  refusedBy(@Parent() { id }: Package): Promise<readonly ServerReference[]> {
    return this.refusingPeers.load(id);
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

  @Needs('read')
  @ResolveField(() => [LineageStep], {
    description:
      'The servers that the copy came through, from the server of the upload to the one that holds it. Empty while there is no copy.',
    complexity: 10,
  })
  lineage(@Parent() replica: Replica): readonly LineageStep[] {
    return ofPackage(replica);
  }
}

@Resolver(() => LineageStep)
export class LineageSignatureResolver {
  /** The loader only collects the look-ups of one moment and remembers nothing, so that all requests can share it. */
  private readonly signaturesOf = new DataLoader<string, readonly FactSignatureView[]>(
    (packageIds) => this.queries.execute(new PackageSignaturesQuery(packageIds)),
    { cache: false, maxBatchSize: 100 },
  );

  constructor(private readonly queries: QueryBus) {}

  @Needs('read')
  @ResolveField(() => FactSignature, {
    nullable: true,
    description:
      'The signature of the last publication, where it is the publication on this server. Null for the servers that only ' +
      'passed the package on.',
  })
  async signature(@Parent() { packageId, server }: LineageStep): Promise<FactSignature | null> {
    if (packageId === undefined) return null;
    const signatures = await this.signaturesOf.load(packageId);
    return signatures.find((told) => told.register === 'PUBLICATION' && told.server?.id === server.id) ?? null;
  }
}
