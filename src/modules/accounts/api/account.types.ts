import { Field, ID, ObjectType, registerEnumType } from '@nestjs/graphql';
import { type Permission, permissionNames, type Role } from '../../../kernel/access.js';
import type { Stage } from '../../../kernel/stage.js';
import { connectionOf, edgeOf, StageName } from '../../../platform/graphql/common.types.js';
import type { AccountSource } from '../contracts/account.events.js';
import type { AccountView } from '../accounts/accounts.query.js';

/** `ROLES` as GraphQL names them. */
export enum RoleName {
  viewer = 'viewer',
  publisher = 'publisher',
  operator = 'operator',
  auditor = 'auditor',
  admin = 'admin',
}

/** The permissions that the modules declare, as GraphQL names them. */
export const PermissionName = permissionNames();

/** `ACCOUNT_SOURCES` as GraphQL names them. */
export enum AccountSourceName {
  local = 'local',
  directory = 'directory',
}

registerEnumType(RoleName, {
  name: 'Role',
  description: 'What an account may be here. `docs/reference/permissions.md` says what each role permits.',
  valuesMap: {
    viewer: { description: 'Reads.' },
    publisher: { description: 'Uploads and promotes up to `publishUpTo`, and removes what it has published itself.' },
    operator: { description: 'Invites and changes peers, and retries what has failed.' },
    auditor: { description: 'Reads the audit trail.' },
    admin: { description: 'Everything.' },
  },
});
registerEnumType(PermissionName, { name: 'Permission', description: 'What a call may need.' });
registerEnumType(AccountSourceName, {
  name: 'AccountSource',
  description: 'Who keeps the password and the roles of an account.',
  valuesMap: { local: { description: 'This server.' }, directory: { description: 'A directory (LDAP).' } },
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
