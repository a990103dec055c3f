import { Field, ID, ObjectType, registerEnumType } from '@nestjs/graphql';
import { type Permission, permissionNames, type Role } from '../../../kernel/access.js';
import type { Stage } from '../../../kernel/stage.js';
import { connectionOf, edgeOf, StageName } from '../../../platform/graphql/common.types.js';
import type { AccountSource } from '../contracts/account.events.js';
import type { AccountView } from '../accounts/accounts.query.js';

/** The values of `ROLES` as a GraphQL enum. */
export enum RoleName {
  viewer = 'viewer',
  publisher = 'publisher',
  operator = 'operator',
  auditor = 'auditor',
  admin = 'admin',
}

/** The permissions that the modules declare, as GraphQL names them. */
export const PermissionName = permissionNames();

/** The values of `ACCOUNT_SOURCES` as a GraphQL enum. */
export enum AccountSourceName {
  local = 'local',
  directory = 'directory',
}

registerEnumType(RoleName, {
  name: 'Role',
  description: 'Role of an account. `docs/reference/permissions.md` lists the permissions of each role.',
  valuesMap: {
    viewer: { description: 'Reads packages, peers and settings.' },
    publisher: {
      description:
        'Uploads and promotes packages up to the stage `publishUpTo`, and removes packages that it has published itself.',
    },
    operator: { description: 'Invites and changes peers, and retries what has failed.' },
    auditor: { description: 'Reads the audit trail.' },
    admin: { description: 'Has every permission.' },
  },
});
registerEnumType(PermissionName, { name: 'Permission', description: 'Permission that a call may need.' });
registerEnumType(AccountSourceName, {
  name: 'AccountSource',
  description: 'Who keeps the password and the roles of an account.',
  valuesMap: { local: { description: 'This server.' }, directory: { description: 'A directory (LDAP).' } },
});

const LIMIT = 'The last stage to which the role publisher may upload and promote. Null without that role.';

/** What `Me` and `Account` have in common. */
@ObjectType({ isAbstract: true })
abstract class AccountFields {
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
}

@ObjectType({ description: 'The signed-in account.' })
export class Me extends AccountFields {
  @Field(() => [PermissionName], { description: 'Permissions of the roles.' })
  permissions!: readonly Permission[];

  @Field(() => Boolean, {
    description: 'Whether the password has to be changed with `changePassword` before anything else is possible.',
  })
  mustChangePassword!: boolean;
}

@ObjectType({ description: 'The account of a person.' })
export class Account extends AccountFields implements AccountView {
  @Field(() => Boolean, {
    description: 'Whether the account is disabled. A disabled account cannot sign in, and its tokens are not accepted.',
  })
  disabled!: boolean;

  @Field(() => Boolean)
  mustChangePassword!: boolean;

  @Field(() => Date)
  createdAt!: Date;

  @Field(() => Date, { nullable: true })
  lastSignedInAt!: Date | null;
}

@ObjectType({ description: 'An account whose new password has to be passed on to its owner.' })
export class AccountWithPassword {
  @Field(() => Account)
  account!: Account;

  @Field(() => String, {
    nullable: true,
    description:
      'The generated password, which is shown only once and has to be changed at the first sign-in. Null when a password was given.',
  })
  oneTimePassword!: string | null;
}

const AccountEdge = edgeOf(Account, 'Account');

@ObjectType({ description: 'A page of the accounts, ordered by name.' })
export class AccountConnection extends connectionOf(AccountEdge) {}
