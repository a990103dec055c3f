import type { DomainEvent } from '../../../kernel/event.js';
import { EventFamily } from '../../../kernel/event-family.js';

/** Streams `account-<id>`. The password hash is a secret and lives in the state schema, never in the log. */
export type AccountCreated = DomainEvent<'AccountCreated', { readonly accountId: string; readonly username: string }>;
export type SignedIn = DomainEvent<'SignedIn', { readonly accountId: string; readonly username: string }>;

/** Stream `account-refusals`. `username` is what was typed, cut to 100 characters. */
export type SignInRefused = DomainEvent<
  'SignInRefused',
  { readonly username: string; readonly reason: string; readonly unrecorded: number }
>;

export type AccountEvent = AccountCreated | SignedIn | SignInRefused;

export const accountEvents = new EventFamily<AccountEvent>({
  AccountCreated: { version: 1 },
  SignedIn: { version: 1 },
  SignInRefused: { version: 1 },
});
