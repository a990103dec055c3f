import { describe, it } from 'vitest';
import { specOf } from '../../../../test/support/given-when-then.js';
import { account } from './account.decider.js';

const { given } = specOf(account);
const admin = { accountId: 'a1', username: 'admin' };
const created = { type: 'AccountCreated', data: admin } as const;

describe('account', () => {
  it('is created once', () => {
    given().when({ type: 'create', ...admin }).gives(created);
    given(created).when({ type: 'create', ...admin }).gives();
  });

  it('records every sign-in', () => {
    const signedIn = { type: 'SignedIn', data: admin } as const;
    given(created).when({ type: 'signIn' }).gives(signedIn);
    given(created, signedIn).when({ type: 'signIn' }).gives(signedIn);
  });

  it('knows nobody who was not created', () => {
    given().when({ type: 'signIn' }).refuses('SIGN_IN_REFUSED');
  });
});
