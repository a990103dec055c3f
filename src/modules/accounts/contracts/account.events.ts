import { type DomainEvent, EventFamily, withFields } from '../../../kernel/events.js';
import type { Permission, Role } from '../../../kernel/access.js';
import type { Stage } from '../../../kernel/stage.js';

/** The place where the password and the roles of an account are kept: this server (`local`) or a directory (LDAP). */
export const ACCOUNT_SOURCES = ['local', 'directory'] as const;
export type AccountSource = (typeof ACCOUNT_SOURCES)[number];

type Named = { readonly accountId: string; readonly username: string };

/** Roles of an account. `publishUpTo` is the limit of the role publisher, null without that role. */
export type Rights = { readonly roles: readonly Role[]; readonly publishUpTo: Stage | null };

/** The data of an account when it is created. */
export type NewAccount = Named &
  Rights & {
    readonly displayName: string | null;
    readonly source: AccountSource;
    /** True when the account has to change its password before it may do anything else. */
    readonly mustChangePassword: boolean;
  };

/** Stream `account-<id>`, like all events of an account below. The password hash is a secret: it is kept in the schema `state`, never in the log. */
export type AccountCreated = DomainEvent<'AccountCreated', NewAccount>;
/** Somebody signed in. `source` tells who checked the password. */
type SignedIn = DomainEvent<'SignedIn', Named & { readonly source: AccountSource }>;
/** The roles of the account or its limit as a publisher changed. */
type RoleChanged = DomainEvent<'RoleChanged', Named & { readonly from: Rights; readonly to: Rights }>;
/** The display name changed. The username never changes. */
type AccountRenamed = DomainEvent<
  'AccountRenamed',
  Named & { readonly from: string | null; readonly to: string | null }
>;
/** The account can no longer be used. By `directory`: the person is missing or disabled there, and the account is enabled when they sign in again. */
type AccountDisabled = DomainEvent<'AccountDisabled', Named & { readonly by: 'admin' | 'directory' }>;
/** The account can be used again. */
type AccountEnabled = DomainEvent<'AccountEnabled', Named>;

/**
 * The account belongs to this person of the directory, identified by an id that stays the same when the person is renamed.
 * Null: an administrator has released the account for the next person with this name.
 */
type DirectoryLinked = DomainEvent<'DirectoryLinked', Named & { readonly externalId: string | null }>;

/** The person who changed a password. `recovery` means `npm run accounts:reset-admin` on the machine of the server. */
export type PasswordChanger = 'owner' | 'admin' | 'recovery';
type PasswordChanged = DomainEvent<
  'PasswordChanged',
  Named & { readonly by: PasswordChanger; readonly mustChangePassword: boolean }
>;

/** A session was closed; when `sessionId` is null, all sessions but the one of the caller. */
type SessionClosed = DomainEvent<
  'SessionClosed',
  Named & { readonly sessionId: string | null; readonly how: 'signed out' | 'revoked' }
>;

/** The rights of an API token and the time when they end. */
export type TokenGrant = {
  readonly name: string;
  readonly scopes: readonly Permission[];
  readonly publishUpTo: Stage | null;
  /** ISO 8601. */
  readonly expiresAt: string;
};

/** An API token was issued. The token is a secret: only its hash is kept, in the schema `state`. */
type ApiTokenIssued = DomainEvent<'ApiTokenIssued', Named & TokenGrant & { readonly tokenId: string }>;
/** An API token was revoked. */
type ApiTokenRevoked = DomainEvent<'ApiTokenRevoked', Named & { readonly tokenId: string; readonly name: string }>;

/** Stream `account-refusals`. A sign-in was refused. `username` is the name that was entered, cut to 100 characters. */
type SignInRefused = DomainEvent<
  'SignInRefused',
  { readonly username: string; readonly reason: string; readonly unrecorded: number }
>;

/** Stream `account-refusals`. A signed-in account made a call that it has no permission for. `need` is the missing permission, null when the call states none. */
type CallRefused = DomainEvent<
  'CallRefused',
  Named & { readonly need: Permission | null; readonly call: string; readonly unrecorded: number }
>;

/** Every event of this module. */
export type AccountEvent =
  | AccountCreated
  | SignedIn
  | RoleChanged
  | AccountRenamed
  | AccountDisabled
  | AccountEnabled
  | DirectoryLinked
  | PasswordChanged
  | SessionClosed
  | ApiTokenIssued
  | ApiTokenRevoked
  | SignInRefused
  | CallRefused;

/** The fields that version 1 of AccountCreated did not have. That version was written only for the admin account of the first start. */
const FIRST_ADMIN = {
  displayName: null,
  source: 'local',
  roles: ['admin'],
  publishUpTo: null,
  mustChangePassword: false,
};

/** Reads and writes the events of this module, also those of older versions. */
export const accountEvents = new EventFamily<AccountEvent>({
  AccountCreated: { version: 2, upcasters: { 1: withFields(FIRST_ADMIN) } },
  SignedIn: { version: 2, upcasters: { 1: withFields({ source: 'local' }) } },
  RoleChanged: { version: 1 },
  AccountRenamed: { version: 1 },
  AccountDisabled: { version: 2, upcasters: { 1: withFields({ by: 'admin' }) } },
  AccountEnabled: { version: 1 },
  DirectoryLinked: { version: 1 },
  PasswordChanged: { version: 1 },
  SessionClosed: { version: 1 },
  ApiTokenIssued: { version: 1 },
  ApiTokenRevoked: { version: 1 },
  SignInRefused: { version: 1 },
  CallRefused: { version: 1 },
});
