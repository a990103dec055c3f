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

  @Field(() => String, { description: 'Base URL under which peers and endpoints reach the server.' })
  url!: string;

  @Field(() => StageName, { description: 'The server fetches and serves packages of this stage and of later stages.' })
  stage!: Stage;

  @Field(() => Boolean, {
    description:
      'True when peers can call this server. Otherwise it keeps connections open to them, through which they call it.',
  })
  reachable!: boolean;

  @Field(() => String, { description: 'Public key (raw Ed25519, base64url) by which peers identify this server.' })
  publicKey!: string;

  @Field(() => Date, { description: 'When the server was started for the first time.' })
  initialisedAt!: Date;

  @Field(() => Date, {
    nullable: true,
    description: 'When the key was changed last. Null while the server has its first key.',
  })
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
      'Changes settings of this server. An argument that is left out changes nothing. Refusals: SETTING_FIXED (the ' +
      'environment sets it), INVALID_REQUEST.',
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
      'Gives this server a new key. The server tells its peers one by one, and uses the former key with a peer until then ' +
      '(`Peer.knowsOurKey`). Earlier invitations become invalid. Refusals: UNAVAILABLE.',
  })
  async rotateServerKey(): Promise<Server> {
    await this.readModels.reflect(await this.commands.execute(new RotateKey()));
    return this.server();
  }
}
