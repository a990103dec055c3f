import { type DomainEvent, EventFamily, withFields } from '../../../kernel/events.js';
import type { Permission, Role } from '../../../kernel/access.js';
import type { Stage } from '../../../kernel/stage.js';

/** Who keeps the password and the roles of an account: this server, or a directory (LDAP). */
export const ACCOUNT_SOURCES = ['local', 'directory'] as const;
export type AccountSource = (typeof ACCOUNT_SOURCES)[number];

type Named = { readonly accountId: string; readonly username: string };

/** What an account may be; `publishUpTo` is the limit of the role publisher, null without it. */
export type Rights = { readonly roles: readonly Role[]; readonly publishUpTo: Stage | null };

export type NewAccount = Named &
  Rights & {
    readonly displayName: string | null;
    readonly source: AccountSource;
    /** The first thing that it may do is to change its password. */
    readonly mustChangePassword: boolean;
  };

/** Streams `account-<id>`. The password hash is a secret and lives in the state schema, never in the log. */
export type AccountCreated = DomainEvent<'AccountCreated', NewAccount>;
/** `source`: who has checked the password. */
export type SignedIn = DomainEvent<'SignedIn', Named & { readonly source: AccountSource }>;
export type RoleChanged = DomainEvent<'RoleChanged', Named & { readonly from: Rights; readonly to: Rights }>;
export type AccountRenamed = DomainEvent<
  'AccountRenamed',
  Named & { readonly from: string | null; readonly to: string | null }
>;
/** `directory`: the person is gone or disabled there; the account is enabled when they sign in again. */
export type AccountDisabled = DomainEvent<'AccountDisabled', Named & { readonly by: 'admin' | 'directory' }>;
export type AccountEnabled = DomainEvent<'AccountEnabled', Named>;

/**
 * Which person of the directory the account is of, by an id that stays when they are renamed. Null: an administrator lets the next
 * person of this name have the account.
 */
export type DirectoryLinked = DomainEvent<'DirectoryLinked', Named & { readonly externalId: string | null }>;

/** `recovery`: on the server's own machine, with `npm run accounts:reset-admin`. */
export type PasswordChanger = 'owner' | 'admin' | 'recovery';
export type PasswordChanged = DomainEvent<
  'PasswordChanged',
  Named & { readonly by: PasswordChanger; readonly mustChangePassword: boolean }
>;

/** One session, or all but the one that asked when `sessionId` is null. */
export type SessionClosed = DomainEvent<
  'SessionClosed',
  Named & { readonly sessionId: string | null; readonly how: 'signed out' | 'revoked' }
>;

export type TokenGrant = {
  readonly name: string;
  readonly scopes: readonly Permission[];
  readonly publishUpTo: Stage | null;
  /** ISO 8601. */
  readonly expiresAt: string;
};

/** The token itself is a secret: only its hash is kept, in the state schema. */
export type ApiTokenIssued = DomainEvent<'ApiTokenIssued', Named & TokenGrant & { readonly tokenId: string }>;
export type ApiTokenRevoked = DomainEvent<
  'ApiTokenRevoked',
  Named & { readonly tokenId: string; readonly name: string }
>;

/** Stream `account-refusals`. `username` is what was typed, cut to 100 characters. */
export type SignInRefused = DomainEvent<
  'SignInRefused',
  { readonly username: string; readonly reason: string; readonly unrecorded: number }
>;

/** Stream `account-refusals`: somebody who is signed in called what they may not. `need` is null when it states none. */
export type CallRefused = DomainEvent<
  'CallRefused',
  Named & { readonly need: Permission | null; readonly call: string; readonly unrecorded: number }
>;

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

/** Version 1 was the admin of the first start. */
const FIRST_ADMIN = {
  displayName: null,
  source: 'local',
  roles: ['admin'],
  publishUpTo: null,
  mustChangePassword: false,
};

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
