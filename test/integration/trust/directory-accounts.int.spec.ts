import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseRoleMap } from '../../../src/ports/directory-groups.js';
import { accountIdOf } from '../../../src/modules/accounts/accounts/username.js';
import { account } from '../../../src/modules/accounts/accounts/account.decider.js';
import {
  RelinkAccount,
  RelinkAccountHandler,
} from '../../../src/modules/accounts/directory/refresh-directory.command.js';
import {
  Directory,
  DirectoryUnavailable,
  type DirectoryPerson,
  type DirectoryVerdict,
} from '../../../src/ports/directory.port.js';
import { startAccounts, type AccountScene } from '../../support/account-scene.js';
import { GuardedDirectory } from '../../../src/platform/limits/guarded-directory.js';
import { settingsOf } from '../../support/directory/settings-of.js';
import { eventsOf, ServerHome } from '../../support/trusted-server.js';

const ADMINS = 'cn=admins,dc=x';
const PACKAGERS = 'cn=packagers,dc=x';
const settings = {
  adminPassword: 'right one',
  directory: settingsOf('ldap://test', { roleMap: parseRoleMap(`admin=${ADMINS}; publisher:Test=${PACKAGERS}`) }),
};

/** A directory that a test changes as it likes. */
class Scripted extends Directory {
  override readonly url = 'ldap://test';
  readonly people = new Map<string, DirectoryPerson>();
  isDown = false;
  override imitateAuthentication = vi.fn<(name: string) => Promise<void>>(async () => this.up());

  override authenticate = vi.fn<(name: string, password: string) => Promise<DirectoryVerdict>>(
    async (name, password) => {
      this.up();
      const person = this.people.get(name);
      if (!person || password !== `of ${name}`) return { refused: 'The directory refuses it.' };
      return person.disabled ? { refused: 'It is disabled.', passwordIsRight: true } : { person };
    },
  );

  override findPerson(name: string): Promise<DirectoryPerson | null> {
    return Promise.resolve(this.people.get(name) ?? null);
  }

  override findPeople = vi.fn<(ids: readonly string[]) => Promise<readonly DirectoryPerson[]>>(async (ids) => {
    this.up();
    return [...this.people.values()].filter(({ id }) => ids.includes(id));
  });

  override async checkAccess(): Promise<void> {
    this.up();
  }

  put(username: string, groups: readonly string[], change: Partial<DirectoryPerson> = {}): void {
    const person = {
      id: `entryUUID=${username}`,
      dn: `uid=${username},dc=x`,
      username,
      displayName: `The ${username}`,
      disabled: false,
    };
    this.people.set(username, { ...person, groups, ...change });
  }

  private up(): void {
    if (this.isDown) throw new DirectoryUnavailable('it is down');
  }
}

let home: ServerHome;
let directory: Scripted;
let scene: AccountScene;

beforeEach(async () => {
  home = await ServerHome.create();
  directory = new Scripted();
  scene = await startAccounts(home, settings, directory);
});
afterEach(async () => {
  await scene.views.onApplicationShutdown();
  await home.remove();
});

const refused = { code: 'SIGN_IN_REFUSED', message: 'The name or the password is wrong.' };
const stateOf = (name: string) => scene.runner.load(account, accountIdOf(name));
const typesOf = async (name: string) =>
  (await eventsOf(home.store, `account-${accountIdOf(name)}`)).map(({ type }) => type);
const reasons = async () => (await eventsOf(home.store, 'account-refusals')).map(({ data }) => JSON.stringify(data));
const principalOf = (token: string) => scene.principals.authenticate(token, null);

describe('the first sign-in through the directory', () => {
  it('makes the account, with the rights of the groups', async () => {
    directory.put('ann', [PACKAGERS, 'cn=other,dc=x']);
    const { token } = await scene.signIn('ann', 'of ann');
    expect(await typesOf('ann')).toEqual(['AccountCreated', 'DirectoryLinked', 'SignedIn']);
    expect(await stateOf('ann')).toMatchObject({
      source: 'directory',
      roles: ['publisher'],
      publishUpTo: 'Test',
      displayName: 'The ann',
      externalId: 'entryUUID=ann',
    });
    expect(await principalOf(token)).toMatchObject({ authority: { publishUpTo: 'Test' }, mustChangePassword: false });
    const events = await eventsOf(home.store, `account-${accountIdOf('ann')}`);
    expect(events.map(({ metadata }) => `${metadata.actor.kind} ${metadata.actor.name} ${metadata.address}`)).toEqual([
      'system directory 192.0.2.1',
      'system directory 192.0.2.1',
      'account ann 192.0.2.1',
    ]);
    await scene.signIn('ann', 'of ann');
    expect(await typesOf('ann')).toEqual(['AccountCreated', 'DirectoryLinked', 'SignedIn', 'SignedIn']);
  });

  it('lets nobody in who is in no mapped group', async () => {
    directory.put('bob', ['cn=other,dc=x']);
    await expect(scene.signIn('bob', 'of bob')).rejects.toMatchObject(refused);
    expect(await stateOf('bob')).toBeNull();
    expect(await reasons()).toEqual([expect.stringContaining('is in none of the groups in LDAP_ROLE_MAP')]);
  });

  it('is one for two at once', async () => {
    directory.put('ann', [ADMINS]);
    await Promise.all([scene.signIn('ann', 'of ann'), scene.signIn('ann', 'of ann')]);
    expect((await typesOf('ann')).filter((type) => type === 'AccountCreated')).toHaveLength(1);
  });

  it('takes no name that no account can have', async () => {
    for (const name of [' ann', 'ann ', '*', 'a)(b', ''])
      await expect(scene.signIn(name, 'of ann')).rejects.toMatchObject(refused);
    expect(directory.authenticate).not.toHaveBeenCalled();
    expect(directory.imitateAuthentication).toHaveBeenCalledTimes(5);
    directory.put('typed', [ADMINS], { username: 'not a name' });
    await expect(scene.signIn('typed', 'of typed')).rejects.toMatchObject(refused);
  });
});

describe('local accounts', () => {
  it('win over people of the directory, who are not asked for their password', async () => {
    directory.put('admin', [ADMINS]);
    await scene.signIn('admin', 'right one');
    expect(directory.imitateAuthentication).not.toHaveBeenCalled();
    await expect(scene.signIn('admin', 'of admin')).rejects.toMatchObject(refused);
    expect(directory.authenticate).not.toHaveBeenCalled();
    expect(directory.imitateAuthentication).toHaveBeenCalledTimes(1);
  });

  it('are not taken by somebody whose other name was typed', async () => {
    directory.put('mail@x', [ADMINS], { username: 'admin' });
    await expect(scene.signIn('mail@x', 'of mail@x')).rejects.toMatchObject(refused);
    expect(await stateOf('admin')).toMatchObject({ source: 'local' });
  });

  it('go on while the directory is down, which tells nobody whether they exist', async () => {
    directory.isDown = true;
    await scene.signIn('admin', 'right one');
    const answers = await Promise.all(
      ['admin', 'nobody', ''].map((name) => scene.signIn(name, 'wrong').catch((error: unknown) => error)),
    );
    for (const answer of answers)
      expect(answer).toMatchObject({
        code: 'DIRECTORY_UNAVAILABLE',
        message: expect.stringContaining('Local accounts'),
      });
    expect(new Set(answers.map(String)).size).toBe(1);
  });

  it('are not kept out at an address where many try during an outage', async () => {
    directory.isDown = true;
    for (let i = 0; i < 60; i++) await scene.signIn(`n${i}`, 'x').catch(() => undefined);
    await scene.signIn('admin', 'right one');
  }, 60_000);
});

describe('a name', () => {
  it('does not give an account to the next person who has it', async () => {
    directory.put('ann', [ADMINS]);
    const { token } = await scene.signIn('ann', 'of ann');
    directory.put('ann', [ADMINS], { id: 'entryUUID=another' });
    await home.dataSource.query('DELETE FROM state.sign_in_failures');
    await expect(scene.signIn('ann', 'of ann')).rejects.toMatchObject(refused);
    expect(await reasons()).toEqual([expect.stringContaining('relinkAccount')]);
    const relink = new RelinkAccountHandler(scene.changes, scene.sessions, home.store);
    await relink.execute(new RelinkAccount(accountIdOf('ann')));
    expect(await principalOf(token)).toBeNull();
    await scene.signIn('ann', 'of ann');
    expect(await stateOf('ann')).toMatchObject({ externalId: 'entryUUID=another' });
    await expect(relink.execute(new RelinkAccount(accountIdOf('admin')))).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
    });
  });
});

describe('a server whose directory was taken away', () => {
  it('lets its people do nothing, until there is one again', async () => {
    directory.put('ann', [ADMINS]);
    const { token } = await scene.signIn('ann', 'of ann');
    const without = await startAccounts(home, {});
    expect(await without.principals.authenticate(token, null)).toBeNull();
    await expect(without.signIn('ann', 'of ann')).rejects.toMatchObject(refused);
    await without.views.onApplicationShutdown();
    expect(await principalOf(token)).toMatchObject({ authority: { username: 'ann' } });
  });
});

describe('a refresh', () => {
  const signedIn = async (name: string, groups: readonly string[]) => {
    directory.put(name, groups);
    return (await scene.signIn(name, `of ${name}`)).token;
  };

  it('changes the rights of open sessions', async () => {
    const token = await signedIn('ann', [ADMINS, PACKAGERS]);
    directory.put('ann', [PACKAGERS]);
    expect(await scene.refresh.execute()).toEqual({ accounts: 1, changed: 1 });
    expect((await principalOf(token))?.authority.permissions).not.toContain('accounts');
    expect(await scene.refresh.execute()).toEqual({ accounts: 1, changed: 0 });
  });

  it('closes the sessions of who has no group any more', async () => {
    const token = await signedIn('ann', [ADMINS]);
    directory.put('ann', []);
    await scene.refresh.execute();
    expect(await principalOf(token)).toBeNull();
    expect(await stateOf('ann')).toMatchObject({ roles: [], disabled: false });
    directory.put('ann', [ADMINS]);
    await scene.signIn('ann', 'of ann');
    expect(await stateOf('ann')).toMatchObject({ roles: ['admin'] });
  });

  it('lets in at once, on every process, who was just put into the right group', async () => {
    const others = await startAccounts(home, settings, new GuardedDirectory(directory));
    const guarded = await startAccounts(home, settings, new GuardedDirectory(directory));
    directory.put('ann', []);
    for (const process of [guarded, others])
      await expect(process.signIn('ann', 'of ann')).rejects.toMatchObject(refused);
    directory.put('ann', [ADMINS]);
    await expect(guarded.signIn('ann', 'of ann')).rejects.toMatchObject(refused);
    await guarded.refresh.execute();
    for (const process of [guarded, others]) await process.signIn('ann', 'of ann');
    for (const { views } of [guarded, others]) await views.onApplicationShutdown();
  });

  it.each([
    ['gone', () => directory.people.delete('ann')],
    ['disabled', () => directory.put('ann', [ADMINS], { disabled: true })],
  ])('disables the account of who is %s, until they are back', async (_, leave) => {
    const token = await signedIn('ann', [ADMINS]);
    leave();
    await scene.refresh.execute();
    expect(await principalOf(token)).toBeNull();
    expect(await stateOf('ann')).toMatchObject({ disabled: true, disabledByDirectory: true });
    directory.put('ann', [ADMINS]);
    await scene.signIn('ann', 'of ann');
    expect(await principalOf(token)).toBeNull();
    expect(await stateOf('ann')).toMatchObject({ disabled: false });
  });

  it('looks after API tokens, also when there is no session', async () => {
    await signedIn('ann', [ADMINS]);
    const grant = { name: 'ci', scopes: ['read'], publishUpTo: null, expiresAt: '2999-01-01T00:00:00.000Z' } as const;
    await scene.runner.run(account, accountIdOf('ann'), {
      type: 'issueToken',
      tokenId: 't1',
      grant,
      now: '2998-12-31T00:00:00.000Z',
    });
    await scene.sessions.closeSessionsOf(accountIdOf('ann'));
    directory.people.delete('ann');
    await vi.waitFor(async () => expect(await scene.refresh.execute()).toEqual({ accounts: 1, changed: 1 }));
    directory.put('ann', [ADMINS]);
    await scene.refresh.execute();
    expect(await stateOf('ann')).toMatchObject({ disabled: false });
  });

  it('leaves alone what an administrator has disabled', async () => {
    await signedIn('ann', [ADMINS]);
    await scene.changes.runCommand(accountIdOf('ann'), { type: 'disable', otherAdmins: 1 });
    expect(await scene.refresh.execute()).toEqual({ accounts: 0, changed: 0 });
    await expect(scene.signIn('ann', 'of ann')).rejects.toMatchObject(refused);
  });

  it('changes nothing while the directory is down, and says so', async () => {
    const token = await signedIn('ann', [ADMINS]);
    directory.isDown = true;
    await expect(scene.refresh.execute()).rejects.toMatchObject({
      code: 'DIRECTORY_UNAVAILABLE',
      message: 'it is down',
    });
    expect(await principalOf(token)).toMatchObject({ authority: { username: 'ann' } });
    expect(await home.dataSource.query('SELECT error, succeeded_at FROM state.directory_refresh')).toEqual([
      { error: 'it is down', succeeded_at: null },
    ]);
    directory.isDown = false;
    await scene.refresh.execute();
    expect(await home.dataSource.query('SELECT error, accounts FROM state.directory_refresh')).toEqual([
      { error: null, accounts: 1 },
    ]);
  });
});

describe('guessing', () => {
  it.each([
    ['in no mapped group', () => directory.put('ann', []), () => directory.put('ann', [ADMINS])],
    ['disabled', () => directory.put('ann', [ADMINS], { disabled: true }), () => directory.put('ann', [ADMINS])],
  ])(
    'is not what the right password does of somebody who is %s',
    async (_, before, after) => {
      before();
      // More than five wrong ones would lead to a pause.
      for (let i = 0; i < 8; i++) await expect(scene.signIn('ann', 'of ann')).rejects.toMatchObject(refused);
      after();
      await scene.signIn('ann', 'of ann');
    },
    60_000,
  );

  it('is slowed down before the directory is asked', async () => {
    directory.put('ann', [ADMINS]);
    await Promise.allSettled(Array.from({ length: 20 }, () => scene.signIn('ann', 'wrong')));
    expect(directory.authenticate.mock.calls.length).toBeLessThan(10);
  });

  it('from many addresses does not reach the directory, and keeps nobody out where they sign in', async () => {
    directory.put('ann', [ADMINS]);
    await scene.signIn('ann', 'of ann', '192.0.2.77');
    for (let i = 0; i < 25; i++) await scene.signIn('ann', 'wrong', `198.51.100.${i}`).catch(() => undefined);
    await home.dataSource.query(
      "UPDATE state.sign_in_failures SET blocked_until = blocked_until + interval '1 hour' WHERE blocked_until > 'epoch'",
    );
    directory.authenticate.mockClear();
    await expect(scene.signIn('ann', 'of ann', '203.0.113.9')).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
    expect(directory.authenticate).not.toHaveBeenCalled();
    await scene.signIn('ann', 'of ann', '192.0.2.77');
  }, 60_000);
});
