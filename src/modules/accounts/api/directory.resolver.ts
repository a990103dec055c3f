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

@ObjectType({ description: 'The directory (LDAP) through which people sign in, and how it does.' })
class DirectoryInfo implements DirectoryStatus {
  @Field(() => Boolean, { description: 'LDAP_URL is set.' })
  configured!: boolean;

  @Field(() => String, { nullable: true })
  url!: string | null;

  @Field(() => String, { nullable: true, description: '`none`, `StartTLS` or `TLS`.' })
  encryption!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The account by which this server searches. Its password is told nowhere.',
  })
  bindDn!: string | null;

  @Field(() => String, { nullable: true })
  searchBase!: string | null;

  @Field(() => Boolean, { nullable: true, description: 'It answers this server, as of the last 10 seconds.' })
  reachable!: boolean | null;

  @Field(() => String, { nullable: true, description: 'What is wrong now, or was at the last refresh.' })
  lastError!: string | null;

  @Field(() => Date, {
    nullable: true,
    description: 'When the accounts in use were last looked up. That is done every two minutes.',
  })
  lastRefreshAt!: Date | null;

  @Field(() => Date, { nullable: true, description: 'When that failed; null when it has succeeded since.' })
  lastRefreshFailedAt!: Date | null;

  @Field(() => Int, { nullable: true, description: 'Accounts with open sessions or API tokens, at the last refresh.' })
  accountsInUse!: number | null;
}

@ObjectType({ description: 'What the directory has about a name, and what that would mean at a sign-in.' })
class DirectoryFinding implements DirectoryTest {
  @Field(() => Boolean)
  found!: boolean;

  @Field(() => String, { nullable: true })
  dn!: string | null;

  @Field(() => String, { nullable: true, description: 'Name of the account.' })
  username!: string | null;

  @Field(() => String, { nullable: true })
  displayName!: string | null;

  @Field(() => String, { nullable: true, description: 'What stays the same when the person is renamed.' })
  externalId!: string | null;

  @Field(() => Boolean)
  disabled!: boolean;

  @Field(() => [String], { description: 'Distinguished names.' })
  groups!: readonly string[];

  @Field(() => [RoleName], { description: 'What LDAP_ROLE_MAP makes of the groups.' })
  roles!: readonly Role[];

  @Field(() => StageName, { nullable: true })
  publishUpTo!: Stage | null;

  @Field(() => String, { description: 'In words, for people.' })
  verdict!: string;
}

@ObjectType({ description: 'What a refresh has done.' })
class DirectoryRefresh {
  @Field(() => Int, { description: 'Accounts with open sessions or API tokens, which were looked up.' })
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
