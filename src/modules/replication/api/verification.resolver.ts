import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { Args, ID, Mutation, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import DataLoader from 'dataloader';
import { Needs } from '../../../platform/auth/needs.decorator.js';
import { uuidArgument } from '../../../platform/graphql/arguments.js';
import { Package } from '../../packages/api/package.type.js';
import { VerifyPackage } from '../commands/verify/verify-package.command.js';
import { LastVerifiedQuery } from '../queries/scrub/last-verified.query.js';
import { ScrubQuery } from '../queries/scrub/scrub.query.js';
import { Scrub } from './scrub.type.js';

@Resolver(() => Package)
export class VerificationResolver {
  /** Batches only; nothing is remembered, so one for all requests will do. */
  private readonly verifiedAt = new DataLoader<string, Date | null>(
    (packageIds) => this.queries.execute(new LastVerifiedQuery(packageIds)),
    { cache: false, maxBatchSize: 100 },
  );

  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Needs('read')
  @Query(() => Scrub, { description: 'The background check of stored files.' })
  scrub(): Promise<Scrub> {
    return this.queries.execute(new ScrubQuery());
  }

  @Needs('retry')
  @Mutation(() => Boolean, {
    description:
      "Has this server's file of a package read and compared with its digests, soon; `lastVerifiedAt` or the package's state " +
      'shows the outcome. Refusals: PACKAGE_NOT_FOUND, PACKAGE_NOT_HELD, INVALID_REQUEST.',
  })
  async verifyPackage(@Args('id', { type: () => ID }) id: string): Promise<boolean> {
    await this.commands.execute(new VerifyPackage(uuidArgument('id', id)));
    return true;
  }

  @Needs('read')
  @ResolveField(() => Date, {
    nullable: true,
    description: "When this server's file of it was last verified as a whole; null when it is not held here.",
  })
  lastVerifiedAt(@Parent() { id }: Package): Promise<Date | null> {
    return this.verifiedAt.load(id);
  }
}
