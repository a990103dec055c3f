import type { AccountEvent, NewAccount, TokenGrant } from '../contracts/account.events.js';

/** Null until it is created. */
export type AccountState = KnownAccount | null;

export interface KnownAccount extends NewAccount {
  readonly disabled: boolean;
  /** Not by an administrator: the directory may enable it again. */
  readonly disabledByDirectory: boolean;
  /** The person in the directory; null for local accounts, and until the next person of this name signs in. */
  readonly externalId: string | null;
  /** By id; those that were not revoked. */
  readonly tokens: Readonly<Record<string, TokenGrant>>;
}

/** Only accounts that need nothing but this server count: a directory that is down must not lock everybody out. */
export const isStandingAdmin = (state: AccountState): boolean =>
  state !== null && state.source === 'local' && !state.disabled && state.roles.includes('admin');

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
