import { QueryBus } from '@nestjs/cqrs';
import { Field, ObjectType, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import DataLoader from 'dataloader';
import { Needs } from '../../../platform/access/needs.decorator.js';
import { listCost } from '../../../platform/graphql/cost-limit.js';
import { ByteCount } from '../../../platform/graphql/scalars.js';
import { ServerReference } from '../../../platform/graphql/common.types.js';
import { SourcesQuery, type SourceView } from '../read-model/replication-status.query.js';
import { Replica } from './replica.type.js';

const USUAL_SOURCES = 3;

@ObjectType({ description: 'A peer that a package is fetched from.' })
export class ReplicaSource {
  @Field(() => ServerReference)
  peer!: ServerReference;

  @Field(() => ByteCount, { description: 'Now; 0 between two runs of chunks.' })
  bytesPerSecond!: number;

  @Field(() => String, { nullable: true, description: 'What went wrong last with this peer.' })
  lastError!: string | null;

  @Field(() => Date, {
    nullable: true,
    description: 'When it may be asked again after an error; null when that is now.',
  })
  nextTryAt!: Date | null;
}

@Resolver(() => Replica)
export class ReplicaSourcesResolver {
  /** Batches only; nothing is remembered, so one for all requests will do. */
  private readonly sourcesOf = new DataLoader<string, readonly SourceView[]>(
    (packageIds) => this.queries.execute(new SourcesQuery(packageIds)),
    { cache: false, maxBatchSize: 100 },
  );

  constructor(private readonly queries: QueryBus) {}

  @Needs('read')
  @ResolveField(() => [ReplicaSource], {
    description:
      'The peers that the copy on this server is fetched from, or was within the last minute, the fastest first.',
    complexity: listCost(USUAL_SOURCES),
  })
  async sources(@Parent() replica: Replica): Promise<readonly ReplicaSource[]> {
    return (await this.loadSources(replica)).map(({ peerId, peerName, ...rest }) => ({
      ...rest,
      peer: { id: peerId, name: peerName },
    }));
  }

  @Needs('read')
  @ResolveField(() => ByteCount, { description: 'Bytes a second that come in for it now, from all peers together.' })
  async bytesPerSecond(@Parent() replica: Replica): Promise<number> {
    return (await this.loadSources(replica)).reduce((sum, source) => sum + source.bytesPerSecond, 0);
  }

  @Needs('read')
  @ResolveField(() => Date, {
    nullable: true,
    description: 'When it is tried again, while no peer can be asked; else null.',
  })
  async nextTryAt(@Parent() replica: Replica): Promise<Date | null> {
    const tries = (await this.loadSources(replica)).map((source) => source.nextTryAt);
    const times = tries.filter((at) => at !== null);
    return times.length < tries.length || times.length === 0 ? null : new Date(Math.min(...times.map(Number)));
  }

  private loadSources({ packageId, local }: Replica): Promise<readonly SourceView[]> {
    return local ? this.sourcesOf.load(packageId) : Promise.resolve([]);
  }
}
