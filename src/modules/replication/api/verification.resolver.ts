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
  type: 'State of the background check of stored files.',
  values: {
    OFF: 'Turned off by ODST_SCRUB_RATE=0.',
    WAITING: 'No package is due at present.',
    RUNNING: 'The check reads packages that are due.',
  },
});

@ObjectType({
  description: 'The background check, which re-reads stored packages to detect and repair disk damage.',
})
class Scrub {
  @Field(() => ScrubStateName)
  state!: ScrubState;

  @Field(() => ByteCount, { description: 'The highest rate at which the check reads.' })
  bytesPerSecond!: number;

  @Field(() => Date, { nullable: true, description: 'When the check last finished reading all due packages.' })
  lastFinishedAt!: Date | null;

  @Field(() => Int, { description: 'Number of files found damaged or missing since the server was set up.' })
  damagedFound!: number;
}

@Resolver(() => Package)
export class VerificationResolver {
  /** The loader only collects the look-ups of one moment and remembers nothing, so that all requests can share it. */
  private readonly verifiedAt = new DataLoader<string, Date | null>(
    (packageIds) => this.queries.execute(new LastVerifiedQuery(packageIds)),
    { cache: false, maxBatchSize: 100 },
  );

  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Needs('read')
  @Query(() => Scrub, { description: 'State of the background check of stored files.' })
  scrub(): Promise<Scrub> {
    return this.queries.execute(new ScrubQuery());
  }

  @Needs('retry')
  @Mutation(() => Boolean, {
    description:
      "Has this server's file of a package read and compared with its digests soon. `lastVerifiedAt` or the state of the package " +
      'shows the result. Refusals: PACKAGE_NOT_FOUND, PACKAGE_NOT_HELD, INVALID_REQUEST.',
  })
  async verifyPackage(@Args('id', { type: () => ID }) id: string): Promise<boolean> {
    await this.commands.execute(new VerifyPackage(uuidArgument('id', id)));
    return true;
  }

  @Needs('read')
  @ResolveField(() => Date, {
    nullable: true,
    description:
      "When this server's file of the package was last verified as a whole. Null when this server does not hold it.",
  })
  lastVerifiedAt(@Parent() { id }: Package): Promise<Date | null> {
    return this.verifiedAt.load(id);
  }
}
