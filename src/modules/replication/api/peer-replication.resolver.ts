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

@ObjectType({ description: 'How well this server follows a peer.' })
class PeerFollowing {
  @Field(() => Boolean, { description: 'Whether this server reads the news of the peer now.' })
  following!: boolean;

  @Field(() => Date, { description: 'Since when this has been so.' })
  since!: Date;

  @Field(() => String, { nullable: true, description: 'Why this server cannot follow the peer now.' })
  lastError!: string | null;

  @Field(() => Date, { nullable: true, description: 'When it is tried again; null while the peer is followed.' })
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

  constructor(private readonly queries: QueryBus) {}

  @Needs('read')
  @ResolveField(() => Boolean, {
    nullable: true,
    description:
      'Whether both servers knew and held the same packages at their last comparison. Null before the first comparison.',
  })
  async inSync(@Parent() { id }: Peer): Promise<boolean | null> {
    const found = await this.comparisons.load(id);
    return found && found.differences === 0;
  }

  @Needs('read')
  @ResolveField(() => Int, {
    nullable: true,
    description:
      'Number of packages in which the two servers differed at their last comparison. Packages that are being fetched count.',
  })
  async differences(@Parent() { id }: Peer): Promise<number | null> {
    return (await this.comparisons.load(id))?.differences ?? null;
  }

  @Needs('read')
  @ResolveField(() => Date, {
    nullable: true,
    description:
      'When the two servers were last compared. This happens about every 10 minutes, and soon after news and after a new connection.',
  })
  async comparedAt(@Parent() { id }: Peer): Promise<Date | null> {
    return (await this.comparisons.load(id))?.comparedAt ?? null;
  }

  @Needs('read')
  @ResolveField(() => PeerFollowing, {
    nullable: true,
    description: 'How well this server follows the peer. Null when it does not: the peer is suspended or SEND_ONLY.',
  })
  contact(@Parent() { id }: Peer): Promise<PeerFollowing | null> {
    return this.contacts.load(id);
  }
}
