import type { Aggregate } from '../../../kernel/decider.js';
import { Refusal } from '../../../kernel/refusal.js';
import { accountEvents, type AccountCreated, type AccountEvent } from '../contracts/account.events.js';

/** Null until it is created. */
export type AccountState = AccountCreated['data'] | null;

export type AccountCommand =
  { readonly type: 'create'; readonly accountId: string; readonly username: string } | { readonly type: 'signIn' };

/** A person who may sign in; the password was checked before. Streams `account-<id>`. */
export const account: Aggregate<AccountState, AccountCommand, AccountEvent> = {
  category: 'account',
  events: accountEvents,
  initial: null,

  decide(command, state) {
    if (command.type === 'create') {
      const { accountId, username } = command;
      return state ? [] : [{ type: 'AccountCreated', data: { accountId, username } }];
    }
    if (!state) throw new Refusal('SIGN_IN_REFUSED', 'There is no such account.');
    return [{ type: 'SignedIn', data: state }];
  },

  evolve(state, event) {
    return event.type === 'AccountCreated' ? event.data : state;
  },
};
