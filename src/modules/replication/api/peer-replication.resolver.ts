import { QueryBus } from '@nestjs/cqrs';
import { Field, Int, ObjectType, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import DataLoader from 'dataloader';
import { Needs } from '../../../platform/access/needs.decorator.js';
import { Peer } from '../../peers/api/peer.type.js';
import {
  type PeerComparison,
  PeerComparisonsQuery,
  PeerContactsQuery,
  type PeerContactStatus,
} from '../read-model/replication-status.query.js';
import { type RefusalCounts, RefusalCountsQuery } from '../read-model/refused.query.js';

@ObjectType({ description: 'State of the connection on which this server reads the feed of a peer.' })
class PeerFollowing {
  @Field(() => Boolean, { description: 'Whether this server reads the feed of the peer now.' })
  following!: boolean;

  @Field(() => Date, { description: 'Since when `following` has had this value.' })
  since!: Date;

  @Field(() => String, { nullable: true, description: 'Why the feed is not read.' })
  lastError!: string | null;

  @Field(() => Date, { nullable: true, description: 'When this server tries again. Null while the feed is read.' })
  nextTryAt!: Date | null;
}

/** Adds to a peer how this server follows it, and what the last comparison with it found. */
@Resolver(() => Peer)
export class PeerReplicationResolver {
  /** The loaders only collect the look-ups of one moment and remember nothing, so that all requests can share them. */
  private readonly comparisons = new DataLoader<string, PeerComparison | null>(
    (peerIds) => this.queries.execute(new PeerComparisonsQuery(peerIds)),
    { cache: false, maxBatchSize: 100 },
  );
  private readonly contacts = new DataLoader<string, PeerContactStatus | null>(
    (peerIds) => this.queries.execute(new PeerContactsQuery(peerIds)),
    { cache: false, maxBatchSize: 100 },
  );

  private readonly refusals = new DataLoader<string, RefusalCounts>(
    (peerIds) => this.queries.execute(new RefusalCountsQuery(peerIds)),
    { cache: false, maxBatchSize: 100 },
  );

  constructor(private readonly queries: QueryBus) {}

  @Needs('read')
  @ResolveField(() => Boolean, {
    nullable: true,
    description:
      'Whether both servers knew and held the same packages when they were last compared. Null before the first comparison.',
  })
  async inSync(@Parent() { id }: Peer): Promise<boolean | null> {
    const found = await this.comparisons.load(id);
    return found && found.differences === 0;
  }

  @Needs('read')
  @ResolveField(() => Int, {
    nullable: true,
    description:
      'Number of packages in which the two servers differed when they were last compared, including packages in transfer.',
  })
  async differences(@Parent() { id }: Peer): Promise<number | null> {
    return (await this.comparisons.load(id))?.differences ?? null;
  }

  @Needs('read')
  @ResolveField(() => Date, {
    nullable: true,
    description:
      'When the two servers were last compared. This happens about every 10 minutes, and soon after a change or a reconnection.',
  })
  async comparedAt(@Parent() { id }: Peer): Promise<Date | null> {
    return (await this.comparisons.load(id))?.comparedAt ?? null;
  }

  @Needs('read')
  @ResolveField(() => PeerFollowing, {
    nullable: true,
    description:
      'State of the connection to the feed of the peer. Null when this server does not read the feed, because the peer is suspended or SEND_ONLY.',
  })
  contact(@Parent() { id }: Peer): Promise<PeerFollowing | null> {
    return this.contacts.load(id);
  }

  @Needs('read')
  @ResolveField(() => Int, {
    description:
      'Number of packages of which this server refuses what the peer tells, because the rights of a server do not allow ' +
      'it. They are no differences. The audit trail shows each refusal.',
  })
  async refusedFromPeer(@Parent() { id }: Peer): Promise<number> {
    return (await this.refusals.load(id)).byUs;
  }

  @Needs('read')
  @ResolveField(() => Int, {
    description:
      'Number of packages of which the peer refuses what this server tells, because of the rights that it gives. They ' +
      'are no differences. `Package.refusedBy` shows them.',
  })
  async refusedByPeer(@Parent() { id }: Peer): Promise<number> {
    return (await this.refusals.load(id)).byPeer;
  }
}
