import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { Args, Mutation, Query, Resolver } from '@nestjs/graphql';
import { Refusal } from '../../../kernel/refusal.js';
import { Needs } from '../../../platform/auth/needs.decorator.js';
import { optionalText, textArgument, uuidArgument } from '../../../platform/graphql/arguments.js';
import { PublishedFileQuery, type PublishedFileView } from '../../packages/contracts/published-file.query.js';
import { CreateDownloadUrl } from '../commands/create-download-url.command.js';
import { SetDownloadProtection } from '../commands/set-download-protection.command.js';
import type { DownloadProtection as Protection } from '../contracts/download.events.js';
import { DownloadProtectionQuery } from '../queries/download-protection.query.js';
import {
  DownloadProtection,
  DownloadProtectionArgs,
  DownloadProtectionMode,
  DownloadProtectionSet,
  DownloadUrl,
  DownloadUrlArgs,
} from './download-protection.types.js';

const toGraphql = ({ mode, username, networks }: Protection): DownloadProtection => ({
  mode: DownloadProtectionMode[mode],
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
      'Says who may download packages from this server, from now on. Refusals: INVALID_REQUEST, PASSWORD_REFUSED.',
  })
  async setDownloadProtection(@Args() args: DownloadProtectionArgs): Promise<DownloadProtectionSet> {
    const networks = (args.networks ?? []).map((network) => textArgument('networks', network.trim()));
    const username = optionalText('username', args.username);
    const to = { mode: args.mode, username, password: optionalText('password', args.password), networks };
    const { protection, generatedPassword } = await this.commands.execute(new SetDownloadProtection(to));
    return { protection: toGraphql(protection), generatedPassword };
  }

  @Needs('read')
  @Mutation(() => DownloadUrl, {
    description:
      'Makes an address under which a package can be downloaded from this server until it expires, whatever else downloads ' +
      'need. Refusals: PACKAGE_NOT_FOUND, INVALID_REQUEST.',
  })
  async createDownloadUrl(@Args() { packageId, expiresInSeconds }: DownloadUrlArgs): Promise<DownloadUrl> {
    const id = uuidArgument('packageId', packageId);
    const file = await this.queries.execute<PublishedFileQuery, PublishedFileView | null>(
      new PublishedFileQuery({ packageId: id }),
    );
    if (!file) throw new Refusal('PACKAGE_NOT_FOUND', 'No package with this id is served here.');
    return this.commands.execute(new CreateDownloadUrl(id, file.filename, expiresInSeconds));
  }
}
