import { QueryBus } from '@nestjs/cqrs';
import { Field, Int, ObjectType, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import DataLoader from 'dataloader';
import { Needs } from '../../../platform/access/needs.decorator.js';
import { type PeerComparison, PeerComparisonsQuery } from '../../replication/contracts/inventory.js';
import { PeerContactsQuery, type PeerContactStatus } from '../../replication/contracts/replication-status.js';
import { Peer } from './peer.type.js';

type FoundComparison = PeerComparison | null;

/** What the last comparison of inventories with a peer found. */
@Resolver(() => Peer)
export class PeerSyncResolver {
  /** Batches only; nothing is remembered, so one for all requests will do. */
  private readonly comparisons = new DataLoader<string, FoundComparison>(
    (peerIds) =>
      this.queries.execute<PeerComparisonsQuery, readonly FoundComparison[]>(new PeerComparisonsQuery(peerIds)),
    { cache: false, maxBatchSize: 100 },
  );

  constructor(private readonly queries: QueryBus) {}

  @Needs('read')
  @ResolveField(() => Boolean, {
    nullable: true,
    description: 'Did both servers know and hold the same when they were last compared? Null before the first time.',
  })
  async inSync(@Parent() { id }: Peer): Promise<boolean | null> {
    const found = await this.comparisons.load(id);
    return found && found.differences === 0;
  }

  @Needs('read')
  @ResolveField(() => Int, {
    nullable: true,
    description: 'Packages in which the two servers differed when they were last compared, also those on their way.',
  })
  async differences(@Parent() { id }: Peer): Promise<number | null> {
    return (await this.comparisons.load(id))?.differences ?? null;
  }

  @Needs('read')
  @ResolveField(() => Date, {
    nullable: true,
    description: 'When they were last compared: every 10 minutes or so, and soon after news and reconnecting.',
  })
  async comparedAt(@Parent() { id }: Peer): Promise<Date | null> {
    return (await this.comparisons.load(id))?.comparedAt ?? null;
  }
}

@ObjectType({ description: 'How this server gets on with following a peer.' })
class PeerFollowing {
  @Field(() => Boolean, { description: 'Does it read the news of the peer now?' })
  following!: boolean;

  @Field(() => Date, { description: 'Since when it does, or does not.' })
  since!: Date;

  @Field(() => String, { nullable: true, description: 'Why it does not.' })
  lastError!: string | null;

  @Field(() => Date, { nullable: true, description: 'When it is tried again; null while the peer is followed.' })
  nextTryAt!: Date | null;
}

/** How the last tries to follow a peer went. */
@Resolver(() => Peer)
export class PeerContactResolver {
  /** Batches only; nothing is remembered, so one for all requests will do. */
  private readonly contacts = new DataLoader<string, PeerContactStatus | null>(
    (peerIds) =>
      this.queries.execute<PeerContactsQuery, readonly (PeerContactStatus | null)[]>(new PeerContactsQuery(peerIds)),
    { cache: false, maxBatchSize: 100 },
  );

  constructor(private readonly queries: QueryBus) {}

  @Needs('read')
  @ResolveField(() => PeerFollowing, {
    nullable: true,
    description: 'How this server gets on with following it. Null when it does not: suspended, or SEND_ONLY.',
  })
  contact(@Parent() { id }: Peer): Promise<PeerFollowing | null> {
    return this.contacts.load(id);
  }
}
