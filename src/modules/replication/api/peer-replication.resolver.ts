import { QueryBus } from '@nestjs/cqrs';
import { Field, Int, ObjectType, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import DataLoader from 'dataloader';
import type { Stage } from '../../../kernel/stage.js';
import { Needs } from '../../../platform/access/needs.decorator.js';
import { StageName } from '../../../platform/graphql/common.types.js';
import { Peer } from '../../peers/api/peer.type.js';
import {
  type PeerComparison,
  PeerComparisonsQuery,
  PeerContactsQuery,
  type PeerStage,
  PeerStagesQuery,
  type PeerContactStatus,
} from '../read-model/replication-status.query.js';
import { judgeContact, judgeSync, type NotKnown as WhyNotKnown } from '../read-model/peer-watch.js';
import { type RefusalCounts, RefusalCountsQuery } from '../read-model/refused.query.js';

@ObjectType({ description: 'Why something is not known now, and for how long.' })
class NotKnown {
  @Field(() => String, { description: 'Why it is not known.' })
  reason!: string;

  @Field(() => Date, { description: 'Since when it is not known.' })
  since!: Date;

  @Field(() => Int, { description: 'For how many seconds it has not been known.' })
  ageSeconds!: number;
}

@ObjectType({ description: 'State of the connection on which this server reads the feed of a peer.' })
class PeerFollowing {
  @Field(() => Boolean, {
    nullable: true,
    description:
      'Whether this server reads the feed of the peer now. Null when this is not known, because no process of this ' +
      'server watches the peer. `unknown` says more.',
  })
  following!: boolean | null;

  @Field(() => NotKnown, { nullable: true, description: 'Why `following` is null. Null when it is not.' })
  unknown!: NotKnown | null;

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

  private readonly stages = new DataLoader<string, PeerStage | null>(
    (peerIds) => this.queries.execute(new PeerStagesQuery(peerIds)),
    { cache: false, maxBatchSize: 100 },
  );
  private readonly refusals = new DataLoader<string, RefusalCounts>(
    (peerIds) => this.queries.execute(new RefusalCountsQuery(peerIds)),
    { cache: false, maxBatchSize: 100 },
  );

  constructor(private readonly queries: QueryBus) {}

  @Needs('read')
  @ResolveField(() => StageName, {
    nullable: true,
    description:
      'The stage of the peer, as it told at `stageToldAt`. It takes packages of this stage or a later one. Null before it ' +
      'has told its stage, which it does with each comparison.',
  })
  async stage(@Parent() { id }: Peer): Promise<Stage | null> {
    return (await this.stages.load(id))?.stage ?? null;
  }

  @Needs('read')
  @ResolveField(() => Date, { nullable: true, description: 'When the peer told its stage last.' })
  async stageToldAt(@Parent() { id }: Peer): Promise<Date | null> {
    return (await this.stages.load(id))?.toldAt ?? null;
  }

  @Needs('read')
  @ResolveField(() => Boolean, {
    nullable: true,
    description:
      'Whether both servers know and hold the same packages, as the last comparison has found. Null when this is not known: ' +
      'while the peer is away, while no process of this server watches it, and before the first comparison. ' +
      '`inSyncUnknown` says more.',
  })
  async inSync(@Parent() peer: Peer): Promise<boolean | null> {
    const found = await this.findSync(peer);
    return typeof found === 'boolean' ? found : null;
  }

  @Needs('read')
  @ResolveField(() => NotKnown, { nullable: true, description: 'Why `inSync` is null. Null when it is not.' })
  async inSyncUnknown(@Parent() peer: Peer): Promise<NotKnown | null> {
    const found = await this.findSync(peer);
    return typeof found === 'boolean' ? null : withAge(found);
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
  async contact(@Parent() peer: Peer): Promise<PeerFollowing | null> {
    const contact = judgeContact(peer, await this.contacts.load(peer.id));
    return contact && { ...contact, unknown: contact.unknown && withAge(contact.unknown) };
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

  private async findSync(peer: Peer): Promise<boolean | WhyNotKnown> {
    const [contact, comparison] = await Promise.all([this.contacts.load(peer.id), this.comparisons.load(peer.id)]);
    return judgeSync(peer, contact, comparison, new Date());
  }
}

const withAge = ({ reason, since }: WhyNotKnown): NotKnown => ({
  reason,
  since,
  ageSeconds: Math.max(0, Math.round((Date.now() - since.getTime()) / 1_000)),
});
