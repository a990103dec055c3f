import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { Args, ID, Mutation, Resolver, Subscription } from '@nestjs/graphql';
import { Refusal } from '../../../kernel/errors.js';
import { Needs } from '../../../platform/access/needs.decorator.js';
import { uuidArgument } from '../../../platform/graphql/arguments.js';
import { ChangeStream } from '../../../platform/graphql/change-stream.js';
import { ReadModelChanges } from '../../../platform/eventsourcing/read-model-changes.js';
import { ReadModels } from '../../../platform/eventsourcing/read-models.js';
import { RetryReplica } from '../replica/retry-replica.command.js';
import { ReplicasQuery } from '../read-model/replicas.query.js';
import { Replica } from './replica.type.js';

/** The keys of the read model are `<package id>/<server id>`. */
const packageIdOf = (key: string): string => key.slice(0, key.indexOf('/'));

@Resolver()
export class ReplicasResolver {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly readModels: ReadModels,
    private readonly changes: ReadModelChanges,
  ) {}

  @Needs('retry')
  @Mutation(() => Replica, {
    description:
      'Starts a failed replica of this server again. Refusals: REPLICA_NOT_FOUND, REPLICA_NOT_FAILED, INVALID_REQUEST.',
  })
  async retryReplica(@Args('packageId', { type: () => ID }) packageId: string): Promise<Replica> {
    const id = uuidArgument('packageId', packageId);
    const receipt = await this.commands.execute(new RetryReplica(id));
    await this.readModels.reflect(receipt);
    const own = (await this.replicasOf([id])).find(({ local }) => local);
    if (!own)
      throw new Refusal('REPLICA_NOT_FOUND', 'This server has no copy of that package and has not asked for one.');
    return own;
  }

  @Needs('read')
  @Subscription(() => Replica, {
    nullable: true,
    description:
      'Sends each replica that makes progress, or only those of one package. Null means that very many changed at once and have to be read again.',
    resolve: (changed: Replica | null) => changed,
  })
  replicaProgressed(
    @Args('packageId', { type: () => ID, nullable: true }) packageId?: string | null,
  ): AsyncIterator<Replica | null> {
    const only = typeof packageId === 'string' ? uuidArgument('packageId', packageId) : null;
    const load = async (keys: readonly string[] | null): Promise<readonly (Replica | null)[]> => {
      if (keys !== null) return this.findChanged(keys);
      return only === null ? [null] : this.replicasOf([only]);
    };
    return new ChangeStream(this.changes, 'replicas', load, {
      wants: (key) => only === null || packageIdOf(key) === only,
    });
  }

  private async findChanged(keys: readonly string[]): Promise<readonly Replica[]> {
    const replicas = await this.replicasOf([...new Set(keys.map(packageIdOf))]);
    return replicas.filter(({ packageId, server }) => keys.includes(`${packageId}/${server.id}`));
  }

  private async replicasOf(packageIds: readonly string[]): Promise<readonly Replica[]> {
    return (await this.queries.execute(new ReplicasQuery(packageIds))).flat();
  }
}
