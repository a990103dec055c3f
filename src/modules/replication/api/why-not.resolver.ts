import { QueryBus } from '@nestjs/cqrs';
import { Args, Field, ObjectType, Query, Resolver } from '@nestjs/graphql';
import { Needs } from '../../../platform/access/needs.decorator.js';
import { textArgument } from '../../../platform/graphql/arguments.js';
import { ServerReference } from '../../../platform/graphql/common.types.js';
import { enumOf } from '../../../platform/graphql/enum-of.js';
import { Package } from '../../packages/api/package.type.js';
import { ABSENCE_CODES, type AbsenceCode } from '../read-model/why-not.js';
import { WhyNotQuery } from '../read-model/why-not.query.js';

const AbsenceCodeName = enumOf('AbsenceCode', ABSENCE_CODES, {
  type: 'The kind of a reason why a server does not have a package.',
  values: {
    HELD: 'The server has the package.',
    SUPERSEDED: 'The server has the package, and serves a later one under its filename.',
    REMOVED: 'The package was removed from all servers.',
    NOT_A_PEER: 'The server is not registered with this one.',
    SUSPENDED: 'The exchange with the peer is suspended.',
    POLICY: 'The direction or the time windows of a peer do not allow it.',
    STAGE: 'The stage of the package does not reach the server.',
    RIGHTS: 'The peer refuses what this server tells of the package, because of the rights that it gives.',
    FACTS_REFUSED: 'This server does not accept, or cannot use, what a peer told of the package.',
    FAILED: 'The server has given up fetching the package.',
    DISK_FULL: 'There is not enough free disk space on the server.',
    DAMAGED: 'The file of the package is damaged or missing, and is being repaired.',
    WITHDRAWN: 'The server has withdrawn its copy.',
    DELAYED: 'The server cannot go on with fetching the package now.',
    PEER_AWAY: 'A peer does not answer.',
    NOT_WATCHED: 'No process of this server watches the peer or fetches packages.',
    FETCHING: 'The server is fetching the package.',
    NO_SOURCE: 'No server that may be asked holds the whole package.',
    NOT_HEARD_YET: 'The server has not told that it has the package, or has not learnt of it yet.',
    UNKNOWN_PACKAGE: 'This server knows no such package.',
  },
});

@ObjectType({ description: 'One reason why a server does not have a package.' })
class AbsenceReason {
  @Field(() => AbsenceCodeName)
  code!: AbsenceCode;

  @Field(() => String, { description: 'The reason in words, and what to do.' })
  words!: string;
}

@ObjectType({ description: 'Whether a server has a package, and why not, as far as this server knows.' })
class WhyNot {
  @Field(() => ServerReference, { description: 'The server that was asked about.' })
  server!: ServerReference;

  @Field(() => Package, { nullable: true, description: 'The package. Null when this server does not know it.' })
  package!: Package | null;

  @Field(() => Boolean, { description: 'Whether the server has the whole package.' })
  isHeld!: boolean;

  @Field(() => [AbsenceReason], { description: 'All reasons that this server knows, the most important one first.' })
  reasons!: readonly AbsenceReason[];
}

/** Answers why a package is not on a server. */
@Resolver(() => WhyNot)
export class WhyNotResolver {
  constructor(private readonly queries: QueryBus) {}

  @Needs('read')
  @Query(() => WhyNot, {
    description:
      'Why a package is not on a server: this one, a peer, or another server of the mesh. For a package that this server ' +
      'does not know, it asks its peers. A peer is asked for its own reasons, too, when it ' +
      'answers. Refusals: INVALID_REQUEST, UNAVAILABLE.',
    complexity: 50,
  })
  whyNot(
    @Args('package', { type: () => String, description: 'Id or filename of the package.' }) idOrFilename: string,
    @Args('server', { type: () => String, description: 'Id or name of the server.' }) server: string,
  ): Promise<WhyNot> {
    return this.queries.execute(new WhyNotQuery(textArgument('package', idOrFilename), textArgument('server', server)));
  }
}
