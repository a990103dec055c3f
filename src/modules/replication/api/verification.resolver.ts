import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { Args, Field, ID, Int, Mutation, ObjectType, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import DataLoader from 'dataloader';
import { Needs } from '../../../platform/access/needs.decorator.js';
import { uuidArgument } from '../../../platform/graphql/arguments.js';
import { ByteCount } from '../../../platform/graphql/scalars.js';
import { Package } from '../../packages/api/package.type.js';
import { LastVerifiedQuery, ScrubQuery, type ScrubState, SCRUB_STATES } from '../integrity/scrub.query.js';
import { VerifyPackage } from '../integrity/verify-package.command.js';
import { enumOf } from '../../../platform/graphql/enum-of.js';

const ScrubStateName = enumOf('ScrubState', SCRUB_STATES, {
  type: 'What the background check of stored files does now.',
  values: {
    OFF: 'Switched off by ODST_SCRUB_RATE=0.',
    WAITING: 'No package is due.',
    RUNNING: 'It reads packages that are due.',
  },
});

@ObjectType({
  description: 'The background check that reads stored packages again, to find and mend what the disk has damaged.',
})
class Scrub {
  @Field(() => ScrubStateName)
  state!: ScrubState;

  @Field(() => ByteCount, { description: 'Most that it reads.' })
  bytesPerSecond!: number;

  @Field(() => Date, { nullable: true, description: 'When it had last read all that was due.' })
  lastFinishedAt!: Date | null;

  @Field(() => Int, { description: 'Packages whose file was found damaged or missing since the server was set up.' })
  damagedFound!: number;
}

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
