import { QueryBus } from '@nestjs/cqrs';
import { Int, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import DataLoader from 'dataloader';
import { Needs } from '../../../platform/auth/needs.decorator.js';
import { PeerComparisonsQuery, type PeerComparison } from '../../replication/contracts/inventory.queries.js';
import { Peer } from './peer.types.js';

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
