import { describe, it } from 'vitest';
import { specOf } from '../../../../test/support/given-when-then.js';
import type { AccountCreated, NewAccount, Rights } from '../contracts/account.events.js';
import { account } from './account.decider.js';
// Declares the permissions that the tokens below are for.
import '../../packages/packages.declarations.js';
import '../../peers/peers.declarations.js';

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
const disabled = { type: 'AccountDisabled', data: { ...named, by: 'admin' } } as const;
const disabledThere = { type: 'AccountDisabled', data: { ...named, by: 'directory' } } as const;
const publisher: Rights = { roles: ['publisher'], publishUpTo: 'Test' };
const signedIn = { type: 'SignedIn', data: { ...named, source: 'local' } } as const;

describe('an account', () => {
  it('is created once', () => {
    given().when({ type: 'create', as }).gives(created());
    given(created()).when({ type: 'create', as }).refuses('USERNAME_TAKEN');
  });

  it('has each role once, and a limit only as a publisher', () => {
    const untidy = { ...as, roles: ['admin', 'viewer', 'admin'], publishUpTo: 'Dev' } as const;
    given()
      .when({ type: 'create', as: untidy })
      .gives(created({ roles: ['viewer', 'admin'] }));
    given()
      .when({ type: 'create', as: { ...as, roles: [] } })
      .refuses('INVALID_REQUEST');
    given()
      .when({ type: 'create', as: { ...as, roles: ['publisher'] } })
      .refuses('INVALID_REQUEST');
  });

  it('may be without a role where a directory keeps it', () => {
    const none = { ...as, source: 'directory', roles: [] } as const;
    given()
      .when({ type: 'create', as: none })
      .gives(created({ source: 'directory', roles: [] }));
  });

  it('records every sign-in', () => {
    given(created()).when({ type: 'signIn' }).gives(signedIn);
    given(created(), signedIn).when({ type: 'signIn' }).gives(signedIn);
  });

  it('lets nobody in who was not created or is disabled', () => {
    given().when({ type: 'signIn' }).refuses('SIGN_IN_REFUSED');
    given(created(), disabled).when({ type: 'signIn' }).refuses('SIGN_IN_REFUSED');
    given(created(), disabled, { type: 'AccountEnabled', data: named }).when({ type: 'signIn' }).gives(signedIn);
  });

  it('tells its rights before and after', () => {
    const from = { roles: as.roles, publishUpTo: null };
    const change = { type: 'changeRights', to: publisher, otherAdmins: 1, by: 'admin' } as const;
    given(created())
      .when(change)
      .gives({ type: 'RoleChanged', data: { ...named, from, to: publisher } });
    given(created(publisher)).when(change).gives();
  });

  it('has its rights from the directory when that keeps it', () => {
    const change = { type: 'changeRights', to: publisher, otherAdmins: 1 } as const;
    given(created({ source: 'directory' }))
      .when({ ...change, by: 'admin' })
      .refuses('ACCOUNT_IN_DIRECTORY');
    const from = { roles: as.roles, publishUpTo: null };
    const changed = { type: 'RoleChanged', data: { ...named, from, to: publisher } } as const;
    given(created({ source: 'directory' }))
      .when({ ...change, by: 'directory' })
      .gives(changed);
  });

  it('stays when it is the last admin', () => {
    given(created()).when({ type: 'disable', otherAdmins: 0 }).refuses('LAST_ADMIN');
    given(created()).when({ type: 'changeRights', to: publisher, otherAdmins: 0, by: 'admin' }).refuses('LAST_ADMIN');
    given(created()).when({ type: 'disable', otherAdmins: 1 }).gives(disabled);
    given(created(publisher)).when({ type: 'disable', otherAdmins: 0 }).gives(disabled);
    given(created({ source: 'directory' }))
      .when({ type: 'disable', otherAdmins: 0 })
      .gives(disabled);
  });

  it('is disabled and enabled once', () => {
    given(created(), disabled).when({ type: 'disable', otherAdmins: 1 }).gives();
    given(created()).when({ type: 'enable' }).gives();
  });

  it('records who changed its password', () => {
    const change = { type: 'changePassword', by: 'owner', mustChangePassword: false } as const;
    given(created())
      .when(change)
      .gives({ type: 'PasswordChanged', data: { ...named, by: 'owner', mustChangePassword: false } });
    given(created({ source: 'directory' }))
      .when(change)
      .refuses('ACCOUNT_IN_DIRECTORY');
    given().when(change).refuses('ACCOUNT_NOT_FOUND');
  });
});

describe('an account of the directory', () => {
  const theirs = created({ source: 'directory' });
  const linked = (externalId: string | null) => ({ type: 'DirectoryLinked', data: { ...named, externalId } }) as const;

  it('is of one person, until an administrator gives it away', () => {
    given(theirs).when({ type: 'link', externalId: 'entryUUID=1' }).gives(linked('entryUUID=1'));
    given(theirs, linked('entryUUID=1')).when({ type: 'link', externalId: 'entryUUID=1' }).gives();
    given(theirs, linked('entryUUID=1')).when({ type: 'link', externalId: 'entryUUID=2' }).refuses('SIGN_IN_REFUSED');
    given(theirs, linked('entryUUID=1')).when({ type: 'link', externalId: null }).gives(linked(null));
    given(theirs, linked('entryUUID=1'), linked(null))
      .when({ type: 'link', externalId: 'entryUUID=2' })
      .gives(linked('entryUUID=2'));
    given(created()).when({ type: 'link', externalId: 'entryUUID=1' }).refuses('INVALID_REQUEST');
  });

  it('tells who has disabled it, and an administrator has the last word', () => {
    const disable = { type: 'disable', otherAdmins: 1 } as const;
    given(theirs)
      .when({ ...disable, by: 'directory' })
      .gives(disabledThere);
    given(theirs, disabledThere)
      .when({ ...disable, by: 'directory' })
      .gives();
    given(theirs, disabledThere).when(disable).gives(disabled);
    given(theirs, disabled)
      .when({ ...disable, by: 'directory' })
      .gives();
  });

  it('says at the sign-in who has checked the password', () => {
    given(theirs)
      .when({ type: 'signIn' })
      .gives({ type: 'SignedIn', data: { ...named, source: 'directory' } });
  });
});
