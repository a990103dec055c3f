import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { Args, ArgsType, Field, Int, Mutation, ObjectType, Query, Resolver } from '@nestjs/graphql';
import { Refusal } from '../../kernel/errors.js';
import { Needs } from '../../platform/access/needs.decorator.js';
import { optionalPassword, optionalText, textArgument, uuidArgument } from '../../platform/graphql/arguments.js';
import { PublishedFileQuery } from '../packages/contracts/package-queries.js';
import {
  type DownloadProtection as Protection,
  PROTECTION_MODES,
  type ProtectionMode,
} from './contracts/download.events.js';
import { CreateDownloadUrl } from './create-download-url.command.js';
import { DownloadProtectionQuery } from './download-protection.query.js';
import { SetDownloadProtection } from './set-download-protection.command.js';
import { enumOf } from '../../platform/graphql/enum-of.js';

const DownloadProtectionMode = enumOf('DownloadProtectionMode', PROTECTION_MODES, {
  type: 'Who may download packages from this server.',
  values: {
    NONE: 'Everybody who can reach the server.',
    BASIC: 'Callers with the name and password of one read-only account (HTTP Basic, RFC 7617).',
    NETWORK: 'Callers from certain networks.',
    SIGNED: 'Callers with a signed address from `createDownloadUrl`. Signed addresses are valid in every mode.',
  },
});

@ObjectType({
  description:
    'Who may download packages from this server. It does not apply to peers, which fetch packages by signed calls.',
})
class DownloadProtection {
  @Field(() => DownloadProtectionMode)
  mode!: ProtectionMode;

  @Field(() => String, { nullable: true, description: 'With BASIC: the name of the read-only account.' })
  username!: string | null;

  @Field(() => [String], { description: 'With NETWORK: addresses and CIDR ranges.' })
  networks!: readonly string[];
}

@ObjectType()
class DownloadProtectionSet {
  @Field(() => DownloadProtection)
  protection!: DownloadProtection;

  @Field(() => String, {
    nullable: true,
    description: 'With BASIC and without a given password: the generated password. It is shown only once.',
  })
  generatedPassword!: string | null;
}

@ObjectType({ description: 'An address under which everybody who has it can download one package until it expires.' })
class DownloadUrl {
  @Field(() => String)
  url!: string;

  @Field(() => Date)
  expiresAt!: Date;
}

@ArgsType()
class DownloadProtectionArgs {
  @Field(() => DownloadProtectionMode)
  mode!: ProtectionMode;

  @Field(() => String, { nullable: true, description: 'With BASIC: 1 to 100 characters, without a colon.' })
  username?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'With BASIC: 12 to 200 characters. When left out, the password of this username is kept, or a new one is generated.',
  })
  password?: string | null;

  @Field(() => [String], {
    nullable: true,
    description: 'With NETWORK: up to 1,000 addresses and ranges such as 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32.',
  })
  networks?: string[] | null;
}

@ArgsType()
class DownloadUrlArgs {
  @Field(() => String)
  packageId!: string;

  @Field(() => Int, { defaultValue: 3600, description: 'From 1 second to 7 days.' })
  expiresInSeconds!: number;
}

const toGraphql = ({ mode, username, networks }: Protection): DownloadProtection => ({
  mode,
  username,
  networks,
});

@Resolver(() => DownloadProtection)
export class DownloadProtectionResolver {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Needs('read')
  @Query(() => DownloadProtection, { description: 'Who may download packages from this server.' })
  async downloadProtection(): Promise<DownloadProtection> {
    return toGraphql(await this.queries.execute(new DownloadProtectionQuery()));
  }

  @Needs('server')
  @Mutation(() => DownloadProtectionSet, {
    description:
      'Sets who may download packages from this server. It takes effect at once. Refusals: INVALID_REQUEST, ' +
      'PASSWORD_REFUSED.',
  })
  async setDownloadProtection(@Args() args: DownloadProtectionArgs): Promise<DownloadProtectionSet> {
    const networks = (args.networks ?? []).map((network) => textArgument('networks', network).trim());
    const username = optionalText('username', args.username);
    const to = { mode: args.mode, username, password: optionalPassword('password', args.password), networks };
    const { protection, generatedPassword } = await this.commands.execute(new SetDownloadProtection(to));
    return { protection: toGraphql(protection), generatedPassword };
  }

  @Needs('read')
  @Mutation(() => DownloadUrl, {
    description:
      'Creates an address under which a package can be downloaded from this server until it expires, in every mode of the ' +
      'protection. Refusals: PACKAGE_NOT_FOUND, INVALID_REQUEST.',
  })
  async createDownloadUrl(@Args() { packageId, expiresInSeconds }: DownloadUrlArgs): Promise<DownloadUrl> {
    const id = uuidArgument('packageId', packageId);
    const file = await this.queries.execute(new PublishedFileQuery({ packageId: id }));
    if (!file) throw new Refusal('PACKAGE_NOT_FOUND', 'No package with this id is served here.');
    return this.commands.execute(new CreateDownloadUrl(id, file.filename, expiresInSeconds));
  }
}
