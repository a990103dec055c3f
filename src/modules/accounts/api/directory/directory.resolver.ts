import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { Args, ID, Mutation, Query, Resolver } from '@nestjs/graphql';
import { Refusal } from '../../../../kernel/refusal.js';
import { Needs } from '../../../../platform/auth/needs.decorator.js';
import { textArgument } from '../../../../platform/graphql/arguments.js';
import { ReadModels } from '../../../../platform/projections/read-models.js';
import { RefreshDirectory, RelinkAccount } from '../../commands/directory/refresh-directory.command.js';
import { AccountQuery } from '../../queries/accounts.query.js';
import { DirectoryQuery, DirectoryTestQuery } from '../../queries/directory.query.js';
import { Account } from '../account.types.js';
import { DirectoryFinding, DirectoryInfo, DirectoryRefresh } from './directory.types.js';

@Resolver()
export class DirectoryResolver {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly readModels: ReadModels,
  ) {}

  @Needs('accounts')
  @Query(() => DirectoryInfo, { description: 'The directory (LDAP) and whether it answers.' })
  directory(): Promise<DirectoryInfo> {
    return this.queries.execute(new DirectoryQuery());
  }

  @Needs('accounts')
  @Query(() => DirectoryFinding, {
    description:
      'Looks a name up in the directory, without a password, and tells which roles it would get. Refusals: NO_DIRECTORY, DIRECTORY_UNAVAILABLE.',
  })
  testDirectory(@Args('username', { type: () => String }) username: string): Promise<DirectoryFinding> {
    return this.queries.execute(new DirectoryTestQuery(textArgument('username', username)));
  }

  @Needs('accounts')
  @Mutation(() => DirectoryRefresh, {
    description:
      'Looks up the accounts in use in the directory now, and does what it says about them; otherwise that is done every two minutes. ' +
      'Refusals: NO_DIRECTORY, DIRECTORY_UNAVAILABLE (nothing was changed).',
  })
  refreshDirectory(): Promise<DirectoryRefresh> {
    return this.commands.execute(new RefreshDirectory());
  }

  @Needs('accounts')
  @Mutation(() => Account, {
    description:
      'Lets the next person of this name in the directory have the account: somebody new, or the same one with a new id. Closes its ' +
      'sessions and revokes its tokens. Refusals: ACCOUNT_NOT_FOUND, INVALID_REQUEST (a local account).',
  })
  async relinkAccount(@Args('id', { type: () => ID }) id: string): Promise<Account> {
    await this.readModels.reflect(await this.commands.execute(new RelinkAccount(textArgument('id', id))));
    const found = await this.queries.execute(new AccountQuery(id));
    if (!found) throw new Refusal('ACCOUNT_NOT_FOUND', 'There is no such account.');
    return found;
  }
}
