import { Field, ID, ObjectType, registerEnumType } from '@nestjs/graphql';
import { type Permission, permissionNames, type Role, ROLES } from '../../../kernel/access.js';
import type { Stage } from '../../../kernel/stage.js';
import { connectionOf, edgeOf, StageName } from '../../../platform/graphql/common.types.js';
import { type AccountSource, ACCOUNT_SOURCES } from '../contracts/account.events.js';
import type { AccountView } from '../accounts/accounts.query.js';
import { enumOf } from '../../../platform/graphql/enum-of.js';

/** The permissions that the modules declare, as GraphQL names them. */
export const PermissionName = permissionNames();

export const RoleName = enumOf('Role', ROLES, {
  type: 'Role of an account. `docs/reference/permissions.md` lists the permissions of each role.',
  values: {
    viewer: 'Reads packages, peers and settings.',
    publisher:
      'Uploads and promotes packages up to the stage `publishUpTo`, and removes packages that it has published itself.',
    operator: 'Invites and changes peers, and retries failed replicas.',
    auditor: 'Reads the audit trail.',
    admin: 'Has every permission.',
  },
});
registerEnumType(PermissionName, { name: 'Permission', description: 'Permission that a call may need.' });
const AccountSourceName = enumOf('AccountSource', ACCOUNT_SOURCES, {
  type: 'Who keeps the password and the roles of an account.',
  values: { local: 'This server.', directory: 'A directory (LDAP).' },
});

const LIMIT = 'The last stage to which the role publisher may upload and promote. Null without that role.';

/** The common fields of `Me` and `Account`. */
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
