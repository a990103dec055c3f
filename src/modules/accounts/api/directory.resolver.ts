import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { Args, Field, ID, Int, Mutation, ObjectType, Query, Resolver } from '@nestjs/graphql';
import type { Role } from '../../../kernel/access.js';
import { Refusal } from '../../../kernel/errors.js';
import type { Stage } from '../../../kernel/stage.js';
import { Needs } from '../../../platform/access/needs.decorator.js';
import { ReadModels } from '../../../platform/eventsourcing/read-models.js';
import { textArgument } from '../../../platform/graphql/arguments.js';
import { StageName } from '../../../platform/graphql/common.types.js';
import { AccountQuery } from '../accounts/accounts.query.js';
import {
  DirectoryQuery,
  type DirectoryStatus,
  type DirectoryTest,
  DirectoryTestQuery,
} from '../directory/directory.query.js';
import { RefreshDirectory, RelinkAccount } from '../directory/refresh-directory.command.js';
import { Account, RoleName } from './account.types.js';

@ObjectType({ description: 'Settings and state of the directory (LDAP) through which people sign in.' })
class DirectoryInfo implements DirectoryStatus {
  @Field(() => Boolean, { description: 'Whether LDAP_URL is set.' })
  configured!: boolean;

  @Field(() => String, { nullable: true })
  url!: string | null;

  @Field(() => String, { nullable: true, description: '`none`, `StartTLS` or `TLS`.' })
  encryption!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The account with which this server searches the directory. Its password is shown nowhere.',
  })
  bindDn!: string | null;

  @Field(() => String, { nullable: true })
  searchBase!: string | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether the directory answers this server. The value is at most 10 seconds old.',
  })
  reachable!: boolean | null;

  @Field(() => String, { nullable: true, description: 'What is wrong now, or what was wrong at the last refresh.' })
  lastError!: string | null;

  @Field(() => Date, {
    nullable: true,
    description: 'When the accounts in use were last looked up. This happens every two minutes.',
  })
  lastRefreshAt!: Date | null;

  @Field(() => Date, {
    nullable: true,
    description: 'When the last refresh failed. Null when a refresh has succeeded since.',
  })
  lastRefreshFailedAt!: Date | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Number of accounts with open sessions or API tokens at the last refresh.',
  })
  accountsInUse!: number | null;
}

@ObjectType({ description: 'What the directory knows about a name, and what would happen at a sign-in.' })
class DirectoryFinding implements DirectoryTest {
  @Field(() => Boolean)
  found!: boolean;

  @Field(() => String, { nullable: true })
  dn!: string | null;

  @Field(() => String, { nullable: true, description: 'Name that the account would have.' })
  username!: string | null;

  @Field(() => String, { nullable: true })
  displayName!: string | null;

  @Field(() => String, { nullable: true, description: 'Id that stays the same when the person is renamed.' })
  externalId!: string | null;

  @Field(() => Boolean)
  disabled!: boolean;

  @Field(() => [String], { description: 'Distinguished names of the groups.' })
  groups!: readonly string[];

  @Field(() => [RoleName], { description: 'Roles that LDAP_ROLE_MAP gives to the groups.' })
  roles!: readonly Role[];

  @Field(() => StageName, { nullable: true })
  publishUpTo!: Stage | null;

  @Field(() => String, { description: 'Result as a sentence.' })
  verdict!: string;
}

@ObjectType({ description: 'Result of a refresh.' })
class DirectoryRefresh {
  @Field(() => Int, { description: 'Number of accounts that were looked up: those with open sessions or API tokens.' })
  accounts!: number;

  @Field(() => Int)
  changed!: number;
}

@Resolver()
export class DirectoryResolver {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly readModels: ReadModels,
  ) {}

  @Needs('accounts')
  @Query(() => DirectoryInfo, { description: 'Settings of the directory (LDAP), and whether it answers.' })
  directory(): Promise<DirectoryInfo> {
    return this.queries.execute(new DirectoryQuery());
  }

  @Needs('accounts')
  @Query(() => DirectoryFinding, {
    description:
      'Looks a name up in the directory, without a password, and shows which roles the person would get. Refusals: NO_DIRECTORY, DIRECTORY_UNAVAILABLE.',
  })
  testDirectory(@Args('username', { type: () => String }) username: string): Promise<DirectoryFinding> {
    return this.queries.execute(new DirectoryTestQuery(textArgument('username', username)));
  }

  @Needs('accounts')
  @Mutation(() => DirectoryRefresh, {
    description:
      'Looks up the accounts in use in the directory now and applies what it says about them. This also happens every two minutes. ' +
      'Refusals: NO_DIRECTORY, DIRECTORY_UNAVAILABLE (nothing was changed).',
  })
  refreshDirectory(): Promise<DirectoryRefresh> {
    return this.commands.execute(new RefreshDirectory());
  }

  @Needs('accounts')
  @Mutation(() => Account, {
    description:
      'Releases an account for the next person with this name in the directory: another person, or the same one with a new id. Closes its ' +
      'sessions and revokes its tokens. Refusals: ACCOUNT_NOT_FOUND, INVALID_REQUEST (a local account).',
  })
  async relinkAccount(@Args('id', { type: () => ID }) id: string): Promise<Account> {
    await this.readModels.reflect(await this.commands.execute(new RelinkAccount(textArgument('id', id))));
    const found = await this.queries.execute(new AccountQuery(id));
    if (!found) throw new Refusal('ACCOUNT_NOT_FOUND', 'There is no such account.');
    return found;
  }
}
