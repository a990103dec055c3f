import type { AccountEvent, NewAccount, TokenGrant } from '../contracts/account.events.js';

/** Null before the account is created. */
export type AccountState = KnownAccount | null;

/** An account as the decider knows it. */
export interface KnownAccount extends NewAccount {
  readonly disabled: boolean;
  /** True when the directory disabled it, and not an administrator. Then the directory may enable it again. */
  readonly disabledByDirectory: boolean;
  /** Id of the person in the directory; null for a local account, and for a released account until somebody signs in. */
  readonly externalId: string | null;
  /** The API tokens that were not revoked, by id. */
  readonly tokens: Readonly<Record<string, TokenGrant>>;
}

/** True when this is a local account that can sign in as an administrator. Directory accounts do not count, so that a directory that is down cannot lock everybody out. */
export const isStandingAdmin = (state: AccountState): boolean =>
  state !== null && state.source === 'local' && !state.disabled && state.roles.includes('admin');

/** Applies an event to the state of an account. */
export function evolveAccount(state: AccountState, event: AccountEvent): AccountState {
  if (event.type === 'AccountCreated') {
    return { ...event.data, disabled: false, disabledByDirectory: false, externalId: null, tokens: {} };
  }
  return state && changeAccount(state, event);
}

function changeAccount(state: KnownAccount, event: AccountEvent): KnownAccount {
  switch (event.type) {
    case 'RoleChanged':
      return { ...state, ...event.data.to };
    case 'AccountRenamed':
      return { ...state, displayName: event.data.to };
    case 'AccountDisabled':
      return { ...state, disabled: true, disabledByDirectory: event.data.by === 'directory' };
    case 'AccountEnabled':
      return { ...state, disabled: false, disabledByDirectory: false };
    case 'DirectoryLinked':
      return { ...state, externalId: event.data.externalId };
    case 'PasswordChanged':
      return { ...state, mustChangePassword: event.data.mustChangePassword };
    case 'ApiTokenIssued': {
      const { tokenId, name, scopes, publishUpTo, expiresAt } = event.data;
      return { ...state, tokens: { ...state.tokens, [tokenId]: { name, scopes, publishUpTo, expiresAt } } };
    }
    case 'ApiTokenRevoked': {
      const { [event.data.tokenId]: _revoked, ...tokens } = state.tokens;
      return { ...state, tokens };
    }
    default:
      return state;
  }
}
