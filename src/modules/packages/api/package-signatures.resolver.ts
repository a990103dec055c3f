import { QueryBus } from '@nestjs/cqrs';
import { Parent, ResolveField, Resolver } from '@nestjs/graphql';
import DataLoader from 'dataloader';
import { Needs } from '../../../platform/access/needs.decorator.js';
import { listCost } from '../../../platform/graphql/cost-limit.js';
import { type FactSignatureView, PackageSignaturesQuery } from '../contracts/fact-signatures.js';
import { FactSignature } from './fact-signature.type.js';
import { Package } from './package.type.js';

/** A package that was not removed has these: publication, first publication and stage. */
const USUAL_SIGNATURES = 3;

@Resolver(() => Package)
export class PackageSignaturesResolver {
  /** The loader only combines queries and remembers nothing, so all requests can share it. */
  private readonly signaturesOf = new DataLoader<string, readonly FactSignatureView[]>(
    (ids) => this.queries.execute(new PackageSignaturesQuery(ids)),
    { cache: false, maxBatchSize: 100 },
  );

  constructor(private readonly queries: QueryBus) {}

  @Needs('read')
  @ResolveField(() => [FactSignature], {
    description:
      'Who signed what this server knows of the package: its last publication, the time of its first one, its stage, and its ' +
      'removal if it was removed.',
    complexity: listCost(USUAL_SIGNATURES),
  })
  signatures(@Parent() { id }: Package): Promise<readonly FactSignature[]> {
    return this.signaturesOf.load(id);
  }
}
