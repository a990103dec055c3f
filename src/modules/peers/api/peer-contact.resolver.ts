import { QueryBus } from '@nestjs/cqrs';
import { Field, ObjectType, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import DataLoader from 'dataloader';
import { Needs } from '../../../platform/auth/needs.decorator.js';
import { PeerContactsQuery, type PeerContactStatus } from '../../replication/contracts/status.queries.js';
import { Peer } from './peer.types.js';

@ObjectType({ description: 'How this server gets on with following a peer.' })
export class PeerFollowing {
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
