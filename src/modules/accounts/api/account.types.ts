import { Field, ID, ObjectType } from '@nestjs/graphql';
import { type Permission, type Role, ROLES, PERMISSIONS } from '../../../kernel/access.js';
import type { Stage } from '../../../kernel/stage.js';
import { connectionOf, edgeOf, StageName } from '../../../platform/graphql/common.types.js';
import { type AccountSource, ACCOUNT_SOURCES } from '../contracts/account.events.js';
import type { AccountView } from '../accounts/accounts.query.js';
import { enumOf } from '../../../platform/graphql/enum-of.js';

export const RoleName = enumOf('Role', ROLES, {
  type: 'What an account may be here. `docs/reference/permissions.md` says what each role permits.',
  values: {
    viewer: 'Reads.',
    publisher: 'Uploads and promotes up to `publishUpTo`, and removes what it has published itself.',
    operator: 'Invites and changes peers, and retries what has failed.',
    auditor: 'Reads the audit trail.',
    admin: 'Everything.',
  },
});
export const PermissionName = enumOf('Permission', PERMISSIONS, { type: 'What a call may need.' });
export const AccountSourceName = enumOf('AccountSource', ACCOUNT_SOURCES, {
  type: 'Who keeps the password and the roles of an account.',
  values: { local: 'This server.', directory: 'A directory (LDAP).' },
});

const LIMIT = 'The last stage to which the role publisher uploads and promotes; null without that role.';

@ObjectType({ description: 'Who is signed in.' })
export class Me {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  username!: string;

  @Field(() => String, { nullable: true })
  displayName!: string | null;

  @Field(() => AccountSourceName)
  source!: AccountSource;

  @Field(() => [RoleName])
  roles!: readonly Role[];

  @Field(() => StageName, { nullable: true, description: LIMIT })
  publishUpTo!: Stage | null;

  @Field(() => [PermissionName], { description: 'What the roles permit.' })
  permissions!: readonly Permission[];

  @Field(() => Boolean, { description: 'Nothing else is possible until `changePassword`.' })
  mustChangePassword!: boolean;
}

@ObjectType({ description: 'Somebody who may sign in.' })
export class Account implements AccountView {
  @Field(() => ID)
  id!: string;

  @Field(() => String)
  username!: string;

  @Field(() => String, { nullable: true })
  displayName!: string | null;

  @Field(() => AccountSourceName)
  source!: AccountSource;

  @Field(() => [RoleName])
  roles!: readonly Role[];

  @Field(() => StageName, { nullable: true, description: LIMIT })
  publishUpTo!: Stage | null;

  @Field(() => Boolean, { description: 'It opens nothing until it is enabled.' })
  disabled!: boolean;

  @Field(() => Boolean)
  mustChangePassword!: boolean;

  @Field(() => Date)
  createdAt!: Date;

  @Field(() => Date, { nullable: true })
  lastSignedInAt!: Date | null;
}

@ObjectType({ description: 'An account whose password somebody has to be told.' })
export class AccountWithPassword {
  @Field(() => Account)
  account!: Account;

  @Field(() => String, {
    nullable: true,
    description:
      'The password that was made: shown once, and to be changed at the first sign-in. Null when one was given.',
  })
  oneTimePassword!: string | null;
}

const AccountEdge = edgeOf(Account, 'Account');

@ObjectType({ description: 'A page of the accounts, by name.' })
export class AccountConnection extends connectionOf(AccountEdge) {}
