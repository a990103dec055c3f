import { ROLES } from '../../../kernel/access.js';
import type { Aggregate } from '../../../kernel/decider.js';
import { Refusal } from '../../../kernel/errors.js';
import {
  type AccountEvent,
  accountEvents,
  type NewAccount,
  type PasswordChanger,
  type Rights,
  type TokenGrant,
} from '../contracts/account.events.js';
import { decideIssue, decideRevocation } from '../tokens/api-token.decider.js';
import { type AccountState, evolveAccount, isStandingAdmin, type KnownAccount } from './account.state.js';

/**
 * Returns the roles without duplicates, in the order of ROLES, with a limit only for a publisher. With `mayBeNone`, which
 * is for accounts of the directory, there may be no role at all. @throws Refusal INVALID_REQUEST
 */
function checkedRights({ roles, publishUpTo }: Rights, mayBeNone: boolean): Rights {
  const sorted = ROLES.filter((role) => roles.includes(role));
  if (sorted.length === 0 && !mayBeNone) throw new Refusal('INVALID_REQUEST', 'An account needs at least one role.');
  if (!sorted.includes('publisher')) return { roles: sorted, publishUpTo: null };
  if (publishUpTo === null) {
    throw new Refusal(
      'INVALID_REQUEST',
      'The role publisher needs `publishUpTo`, the last stage to which the account may publish.',
    );
  }
  return { roles: sorted, publishUpTo };
}

/** The commands on an account. `otherAdmins` is the number of other local accounts that can sign in with the role admin. */
export type AccountCommand =
  | { readonly type: 'create'; readonly as: NewAccount }
  | { readonly type: 'signIn' }
  | { readonly type: 'rename'; readonly displayName: string | null }
  | {
      readonly type: 'changeRights';
      readonly to: Rights;
      readonly otherAdmins: number;
      readonly by: 'admin' | 'directory';
    }
  | { readonly type: 'disable'; readonly otherAdmins: number; readonly by?: 'admin' | 'directory' }
  | { readonly type: 'link'; readonly externalId: string | null }
  | { readonly type: 'enable' }
  | { readonly type: 'changePassword'; readonly by: PasswordChanger; readonly mustChangePassword: boolean }
  | { readonly type: 'closeSession'; readonly sessionId: string | null; readonly how: 'signed out' | 'revoked' }
  | { readonly type: 'issueToken'; readonly tokenId: string; readonly grant: TokenGrant; readonly now: string }
  | { readonly type: 'revokeToken'; readonly tokenId: string };

const LAST_ADMIN =
  'This is the last local account with the role admin that can sign in. Give the role to another account first.';
const IN_DIRECTORY = 'The directory keeps the password and the roles of this account. Change them there.';

const OTHER_PERSON =
  'The account belongs to another person who had this name in the directory. An administrator can release it with `relinkAccount`.';

const areSameRights = (a: Rights, b: Rights): boolean =>
  a.publishUpTo === b.publishUpTo &&
  a.roles.length === b.roles.length &&
  a.roles.every((role) => b.roles.includes(role));

function decideCreation(state: AccountState, as: NewAccount): AccountEvent[] {
  if (state) throw new Refusal('USERNAME_TAKEN', `The account ${state.username} exists already. Choose another name.`);
  const rights = checkedRights(as, as.source === 'directory');
  return [{ type: 'AccountCreated', data: { ...as, ...rights } }];
}

function decideSignIn(state: AccountState): AccountEvent[] {
  if (!state || state.disabled) throw new Refusal('SIGN_IN_REFUSED', 'The name or the password is wrong.');
  return [{ type: 'SignedIn', data: { ...identityOf(state), source: state.source } }];
}

const identityOf = ({ accountId, username }: KnownAccount) => ({ accountId, username });

function requireOtherAdmin(state: KnownAccount, otherAdmins: number): void {
  if (isStandingAdmin(state) && otherAdmins === 0) throw new Refusal('LAST_ADMIN', LAST_ADMIN);
}

function decideRights(
  state: KnownAccount,
  { to, otherAdmins, by }: Extract<AccountCommand, { type: 'changeRights' }>,
): AccountEvent[] {
  if (by === 'admin' && state.source === 'directory') throw new Refusal('ACCOUNT_IN_DIRECTORY', IN_DIRECTORY);
  const from = { roles: state.roles, publishUpTo: state.publishUpTo };
  const rights = checkedRights(to, by === 'directory');
  if (areSameRights(from, rights)) return [];
  if (!rights.roles.includes('admin')) requireOtherAdmin(state, otherAdmins);
  return [{ type: 'RoleChanged', data: { ...identityOf(state), from, to: rights } }];
}

/** An administrator can also disable an account that the directory has disabled. Then the directory does not enable it again. */
function decideDisabling(state: KnownAccount, otherAdmins: number, by: 'admin' | 'directory'): AccountEvent[] {
  if (state.disabled && (by === 'directory' || !state.disabledByDirectory)) return [];
  requireOtherAdmin(state, otherAdmins);
  return [{ type: 'AccountDisabled', data: { ...identityOf(state), by } }];
}

/** A person who gets a name that somebody else had before does not get the account of that person. */
function decideLink(state: KnownAccount, externalId: string | null): AccountEvent[] {
  if (state.source !== 'directory')
    throw new Refusal('INVALID_REQUEST', 'This is a local account. It has no person in the directory.');
  if (state.externalId === externalId) return [];
  if (externalId !== null && state.externalId !== null) throw new Refusal('SIGN_IN_REFUSED', OTHER_PERSON);
  return [{ type: 'DirectoryLinked', data: { ...identityOf(state), externalId } }];
}

function decideKnown(
  command: Exclude<AccountCommand, { type: 'create' | 'signIn' }>,
  state: KnownAccount,
): AccountEvent[] {
  const about = identityOf(state);
  switch (command.type) {
    case 'rename': {
      const { displayName: to } = command;
      return to === state.displayName
        ? []
        : [{ type: 'AccountRenamed', data: { ...about, from: state.displayName, to } }];
    }
    case 'changeRights':
      return decideRights(state, command);
    case 'disable':
      return decideDisabling(state, command.otherAdmins, command.by ?? 'admin');
    case 'link':
      return decideLink(state, command.externalId);
    case 'enable':
      return state.disabled ? [{ type: 'AccountEnabled', data: about }] : [];
    case 'changePassword': {
      if (state.source === 'directory') throw new Refusal('ACCOUNT_IN_DIRECTORY', IN_DIRECTORY);
      const { by, mustChangePassword } = command;
      return [{ type: 'PasswordChanged', data: { ...about, by, mustChangePassword } }];
    }
    case 'closeSession': {
      const { sessionId, how } = command;
      return [{ type: 'SessionClosed', data: { ...about, sessionId, how } }];
    }
    case 'issueToken':
      return decideIssue(state, command);
    case 'revokeToken':
      return decideRevocation(state, command.tokenId);
  }
}

/** The account of a person. Passwords are checked before a command gets here. Streams `account-<id>`. */
export const account: Aggregate<AccountState, AccountCommand, AccountEvent> = {
  category: 'account',
  events: accountEvents,
  initial: null,

  decide(command, state) {
    if (command.type === 'create') return decideCreation(state, command.as);
    if (command.type === 'signIn') return decideSignIn(state);
    if (!state) throw new Refusal('ACCOUNT_NOT_FOUND', 'There is no such account.');
    return decideKnown(command, state);
  },

  evolve: evolveAccount,
};
