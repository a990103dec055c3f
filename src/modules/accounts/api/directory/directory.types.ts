import { Field, Int, ObjectType } from '@nestjs/graphql';
import type { Role } from '../../../../kernel/role.js';
import type { Stage } from '../../../../kernel/stage.js';
import { StageName } from '../../../../platform/graphql/types/stage.enum.js';
import type { DirectoryStatus, DirectoryTest } from '../../contracts/directory-view.js';
import { RoleName } from '../account.types.js';

@ObjectType({ description: 'The directory (LDAP) through which people sign in, and how it does.' })
export class DirectoryInfo implements DirectoryStatus {
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
export class DirectoryFinding implements DirectoryTest {
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
export class DirectoryRefresh {
  @Field(() => Int, { description: 'Accounts with open sessions or API tokens, which were looked up.' })
  accounts!: number;

  @Field(() => Int)
  changed!: number;
}
