import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { Args, Field, ID, Mutation, ObjectType, Query, Resolver } from '@nestjs/graphql';
import type { Stage } from '../../kernel/stage.js';
import { Needs } from '../../platform/access/needs.decorator.js';
import type { Receipt } from '../../platform/eventsourcing/command-runner.js';
import { ReadModels } from '../../platform/eventsourcing/read-models.js';
import { optionalText } from '../../platform/graphql/arguments.js';
import { StageName } from '../../platform/graphql/common.types.js';
import { RotateKey } from './server-keys.command.js';
import { ServerQuery } from './server.query.js';
import { UpdateServer } from './update-server.command.js';

@ObjectType({ description: 'This server.' })
class Server {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  name!: string;

  @Field(() => String, { description: 'Base URL under which peers and endpoints reach it.' })
  url!: string;

  @Field(() => StageName, { description: 'It takes and serves packages of this stage or a later one.' })
  stage!: Stage;

  @Field(() => Boolean, {
    description: 'Can peers call it? If not, it keeps connections open to them, on which they get its packages.',
  })
  reachable!: boolean;

  @Field(() => String, { description: 'Raw Ed25519 public key, base64url: what peers know it by.' })
  publicKey!: string;

  @Field(() => Date, { description: 'When it was started for the first time.' })
  initialisedAt!: Date;

  @Field(() => Date, { nullable: true, description: 'When its key was changed last; null while it has its first one.' })
  keyRotatedAt!: Date | null;
}

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
    @Args('stage', { type: () => StageName, nullable: true }) stage?: Stage | null,
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
