import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { Args, Mutation, Query, Resolver } from '@nestjs/graphql';
import { Needs } from '../../../platform/auth/needs.decorator.js';
import type { Receipt } from '../../../platform/cqrs/command-runner.js';
import { optionalText } from '../../../platform/graphql/arguments.js';
import { StageName } from '../../../platform/graphql/types/stage.enum.js';
import { ReadModels } from '../../../platform/projections/read-models.js';
import { RotateKey } from '../commands/rotate-key.command.js';
import { UpdateServer } from '../commands/update-server.command.js';
import { ServerQuery } from '../queries/server.query.js';
import { Server } from './server.type.js';

@Resolver(() => Server)
export class ServerResolver {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly readModels: ReadModels,
  ) {}

  @Needs('read')
  @Query(() => Server, { description: 'This server.' })
  server(): Promise<Server> {
    return this.queries.execute(new ServerQuery());
  }

  @Needs('server')
  @Mutation(() => Server, {
    description:
      'Changes settings of this server; what is left out stays. Refusals: SETTING_FIXED (set by the environment), ' +
      'INVALID_REQUEST.',
  })
  async updateServer(
    @Args('name', { type: () => String, nullable: true }) name?: string | null,
    @Args('url', { type: () => String, nullable: true }) url?: string | null,
    @Args('stage', { type: () => StageName, nullable: true }) stage?: StageName | null,
    @Args('reachable', { type: () => Boolean, nullable: true }) reachable?: boolean | null,
  ): Promise<Server> {
    const to = {
      name: optionalText('name', name) ?? undefined,
      url: optionalText('url', url) ?? undefined,
      stage: stage ?? undefined,
      reachable: reachable ?? undefined,
    };
    const receipt: Receipt = await this.commands.execute(new UpdateServer(to));
    await this.readModels.reflect(receipt);
    return this.server();
  }

  @Needs('server')
  @Mutation(() => Server, {
    description:
      'Gives this server a new key. Each peer is told by itself, and called with the key that it knows until then ' +
      '(`Peer.knowsOurKey`). Invitations made before are void. Refusals: UNAVAILABLE.',
  })
  async rotateServerKey(): Promise<Server> {
    await this.readModels.reflect(await this.commands.execute(new RotateKey()));
    return this.server();
  }
}
