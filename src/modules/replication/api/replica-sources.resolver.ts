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

@ObjectType({ description: 'A peer from which a package is fetched.' })
class ReplicaSource {
  @Field(() => ServerReference)
  peer!: ServerReference;

  @Field(() => ByteCount, { description: 'The present rate. 0 between two chunk ranges.' })
  bytesPerSecond!: number;

  @Field(() => String, { nullable: true, description: 'The last error with this peer.' })
  lastError!: string | null;

  @Field(() => Date, {
    nullable: true,
    description: 'When the peer may be asked again after an error. Null when it may be asked now.',
  })
  nextTryAt!: Date | null;
}

@Resolver(() => Replica)
export class ReplicaSourcesResolver {
  /** The loader only collects the look-ups of one moment and remembers nothing, so that all requests can share it. */
  private readonly sourcesOf = new DataLoader<string, readonly SourceView[]>(
    (packageIds) => this.queries.execute(new SourcesQuery(packageIds)),
    { cache: false, maxBatchSize: 100 },
  );

  constructor(private readonly queries: QueryBus) {}

  @Needs('read')
  @ResolveField(() => [ReplicaSource], {
    description:
      'The peers from which the copy on this server is fetched or was fetched within the last minute, the fastest first.',
    complexity: listCost(USUAL_SOURCES),
  })
  async sources(@Parent() replica: Replica): Promise<readonly ReplicaSource[]> {
    return (await this.loadSources(replica)).map(({ peerId, peerName, ...rest }) => ({
      ...rest,
      peer: { id: peerId, name: peerName },
    }));
  }

  @Needs('read')
  @ResolveField(() => ByteCount, {
    description: 'Bytes per second that arrive for the copy now, from all peers together.',
  })
  async bytesPerSecond(@Parent() replica: Replica): Promise<number> {
    return (await this.loadSources(replica)).reduce((sum, source) => sum + source.bytesPerSecond, 0);
  }

  @Needs('read')
  @ResolveField(() => Date, {
    nullable: true,
    description: 'When the server tries again while no peer can be asked. Null otherwise.',
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
