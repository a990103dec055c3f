import { describe, it } from 'vitest';
import { specOf } from '../../../../test/support/given-when-then.js';
import { account } from '../accounts/account.decider.js';
// The permissions that a token may have are declared by these modules.
import '../../packages/packages.declarations.js';
import '../../peers/peers.declarations.js';
import '../../replication/replication.declarations.js';
import '../../server/server.declarations.js';
import type { AccountCreated, NewAccount, Rights, TokenGrant } from '../contracts/account.events.js';

const { given } = specOf(account);
const named = { accountId: 'a1', username: 'ann' };
const as: NewAccount = {
  ...named,
  displayName: null,
  source: 'local',
  roles: ['admin'],
  publishUpTo: null,
  mustChangePassword: true,
};
const created = (change: Partial<NewAccount> = {}): AccountCreated => ({
  type: 'AccountCreated',
  data: { ...as, ...change },
});
const publisher: Rights = { roles: ['publisher'], publishUpTo: 'Test' };

describe('an API token', () => {
  const now = '2026-01-01T00:00:00.000Z';
  const grant: TokenGrant = {
    name: 'ci',
    scopes: ['read', 'upload'],
    publishUpTo: 'Dev',
    expiresAt: '2026-12-31T00:00:00.000Z',
  };
  const issue = (change: Partial<TokenGrant> = {}) =>
    ({ type: 'issueToken', tokenId: 't1', grant: { ...grant, ...change }, now }) as const;
  const issued = { type: 'ApiTokenIssued', data: { ...named, tokenId: 't1', ...grant } } as const;
  const revoked = { type: 'ApiTokenRevoked', data: { ...named, tokenId: 't1', name: 'ci' } } as const;

  it('is issued and revoked', () => {
    given(created(publisher)).when(issue()).gives(issued);
    given(created(publisher), issued).when({ type: 'revokeToken', tokenId: 't1' }).gives(revoked);
    given(created(publisher), issued, revoked).when({ type: 'revokeToken', tokenId: 't1' }).refuses('TOKEN_NOT_FOUND');
    given(created(publisher), issued).when(issue()).refuses('INVALID_REQUEST');
    given(created(publisher), issued, revoked).when(issue()).gives(issued);
  });

  it('can do no more than its owner', () => {
    given(created(publisher))
      .when(issue({ scopes: ['peers'] }))
      .refuses('FORBIDDEN');
    given(created(publisher))
      .when(issue({ publishUpTo: 'Prod' }))
      .refuses('FORBIDDEN');
    given(created())
      .when(issue({ publishUpTo: 'Prod' }))
      .gives({ type: 'ApiTokenIssued', data: { ...issued.data, publishUpTo: 'Prod' } });
  });

  it.each(['own', 'accounts', 'server'] as const)('is never for `%s`', (scope) => {
    given(created())
      .when(issue({ scopes: [scope] }))
      .refuses('INVALID_REQUEST');
  });

  it('ends within a year', () => {
    given(created())
      .when(issue({ expiresAt: '2027-02-01T00:00:00.000Z' }))
      .refuses('INVALID_REQUEST');
    given(created())
      .when(issue({ expiresAt: now }))
      .refuses('INVALID_REQUEST');
    given(created())
      .when(issue({ expiresAt: 'never' }))
      .refuses('INVALID_REQUEST');
  });

  it('has a name', () => {
    given(created())
      .when(issue({ name: '  ' }))
      .refuses('INVALID_REQUEST');
    given(created())
      .when(issue({ scopes: [] }))
      .refuses('INVALID_REQUEST');
  });
});
