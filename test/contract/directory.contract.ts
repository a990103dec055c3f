import { describe, expect, it } from 'vitest';
import { LdapDirectory } from '../../src/adapters/directory/ldap/ldap-directory.js';
import { dnKey } from '../../src/ports/directory-groups.js';
import { DirectoryUnavailable, type DirectorySettings } from '../../src/ports/directory.port.js';
import {
  BIND_PASSWORD,
  CROWD,
  groupDn,
  passwordOf,
  personDn,
  personEntry,
  type TestDirectory,
} from '../support/directory/people.js';
import { settingsOf } from '../support/directory/settings-of.js';

const keys = (dns: readonly string[]) => dns.map(dnKey).toSorted();

/** What the port promises, against any server that speaks LDAP and holds the people of the tests. */
export function directoryContract(start: {
  readonly it: () => TestDirectory;
  readonly with?: () => Partial<DirectorySettings>;
}): void {
  const at = (change: Partial<DirectorySettings> = {}) =>
    new LdapDirectory(settingsOf(start.it().ldap, { ...start.with?.(), ...change }));
  const refusedBy = async (directory: LdapDirectory, name: string, password: string) => {
    const verdict = await directory.authenticate(name, password);
    return 'refused' in verdict ? verdict.refused : 'let in';
  };

  describe('signing in', () => {
    it('tells who somebody is, in the spelling of the directory', async () => {
      const verdict = await at().authenticate('BOB', passwordOf('bob'));
      expect(verdict).toMatchObject({ person: { username: 'bob', displayName: 'The bob', disabled: false } });
      if (!('person' in verdict)) return;
      expect(keys([verdict.person.dn])).toEqual(keys([personDn('bob')]));
      expect(keys(verdict.person.groups)).toEqual(keys([groupDn('publishers')]));
      expect(verdict.person.id).toMatch(/^entryUUID=[0-9a-f-]{36}$/);
    });

    it('takes names with everything that has to be escaped', async () => {
      const verdict = await at().authenticate('zoe', passwordOf('zoe'));
      expect(verdict).toMatchObject({ person: { username: 'zoe' } });
      expect('person' in verdict && keys(verdict.person.groups)).toEqual(keys([groupDn('publishers')]));
    });

    it('refuses a wrong password, and names that nobody has', async () => {
      expect(await refusedBy(at(), 'bob', 'wrong')).toMatch(/refuses it/);
      expect(await refusedBy(at(), 'nobody', 'wrong')).toMatch(/knows nobody/);
      await at().imitateAuthentication('bob');
    });

    it('refuses an empty password without asking', async () => {
      const nowhere = new LdapDirectory(settingsOf('ldap://127.0.0.1:1'));
      expect(await refusedBy(nowhere, 'bob', '')).toMatch(/empty/);
      expect(await refusedBy(at(), 'bob', '')).toMatch(/empty/);
    });

    it.each([
      '*',
      'b*',
      'bob)(uid=*',
      '*)(objectClass=*',
      'bob\\2a',
      'bob\0',
      ' bob',
      'bob ',
      '$&',
      "$'",
      '{{username}}',
      'bo\u00ADb',
      'bob\uFE00',
    ])('takes %j for a name, not for a pattern', async (name) => {
      expect(await refusedBy(at(), name, passwordOf('bob'))).toMatch(/knows nobody/);
      expect(await at().findPerson(name)).toBeNull();
    });

    it('finds nobody where two have the name', async () => {
      expect(await at({ searchFilter: '(|(uid={{username}})(uid=ann)(uid=bob))' }).findPerson('ann')).toBeNull();
    });
  });

  describe('groups', () => {
    const groupsOf = async (directory: LdapDirectory, name: string) =>
      keys((await directory.findPerson(name))?.groups ?? []);

    it('are those of the person', async () => {
      expect(await groupsOf(at(), 'ann')).toEqual(keys([groupDn('staff')]));
      expect(await groupsOf(at(), 'cat')).toEqual([]);
    });

    it('are also those that these are in, to any depth', async () => {
      expect(await groupsOf(at({ recursive: true }), 'ann')).toEqual(keys(['staff', 'core', 'admins'].map(groupDn)));
    });

    it('may be members of each other', async () => {
      expect(await groupsOf(at({ recursive: true }), 'loopy')).toEqual(keys(['loop-a', 'loop-b'].map(groupDn)));
    });
  });

  describe('looking up many', () => {
    it('tells of all who are there, with their groups', async () => {
      const directory = at();
      const crowd = await Promise.all(Array.from({ length: 10 }, (_, i) => directory.findPerson(`crowd${i}`)));
      const ids = crowd.flatMap((one) => one?.id ?? []);
      expect(ids).toHaveLength(10);
      const found = await directory.findPeople([...ids, 'entryUUID=00000000-0000-4000-8000-000000000000', 'nonsense']);
      expect(found.map(({ username }) => username).toSorted()).toEqual(crowd.map((one) => one?.username).toSorted());
      expect(found.every(({ groups }) => keys(groups).join() === keys([groupDn('viewers')]).join())).toBe(true);
    });

    it(`takes ${CROWD} at once`, async () => {
      const people = await Promise.all(['ann', 'bob'].map((name) => at().findPerson(name)));
      const ids = people.flatMap((one) => one?.id ?? []);
      const found = await at().findPeople(Array.from({ length: CROWD / 2 }, () => ids).flat());
      expect(new Set(found.map(({ username }) => username))).toEqual(new Set(['ann', 'bob']));
    });
  });

  describe('changes', () => {
    it('are seen at once', async () => {
      const directory = at();
      await start.it().add(personEntry('dora'));
      await start.it().addMember(groupDn('publishers'), personDn('dora'));
      const dora = await directory.findPerson('dora');
      expect(keys(dora?.groups ?? [])).toEqual(keys([groupDn('publishers')]));
      await start.it().removeMember(groupDn('publishers'), personDn('dora'));
      expect((await directory.findPerson('dora'))?.groups).toEqual([]);
      await start.it().setPassword(personDn('dora'), 'a new one');
      expect(await refusedBy(directory, 'dora', passwordOf('dora'))).toMatch(/refuses it/);
      expect(await refusedBy(directory, 'dora', 'a new one')).toBe('let in');
      await start.it().remove(personDn('dora'));
      expect(await directory.findPeople([dora?.id ?? ''])).toEqual([]);
    });
  });

  describe('TLS', () => {
    it('is spoken from the start with ldaps', async () => {
      const directory = at({ url: start.it().ldaps, startTls: false, ca: start.it().ca });
      expect(await directory.authenticate('bob', passwordOf('bob'))).toMatchObject({ person: { username: 'bob' } });
      await directory.checkAccess();
    });

    it('is refused without the authority that issued the certificate', async () => {
      const directory = at({ url: start.it().ldaps, startTls: false, ca: null });
      await expect(directory.authenticate('bob', passwordOf('bob'))).rejects.toThrow(/certificate .* LDAP_CA_FILE/);
      await expect(directory.checkAccess()).rejects.toBeInstanceOf(DirectoryUnavailable);
    });
  });

  describe('what is wrong', () => {
    it('is told in words that help', async () => {
      await at().checkAccess();
      const wrongPassword = at({ bind: { dn: settingsOf('').bind?.dn ?? '', password: 'wrong' } });
      await expect(wrongPassword.checkAccess()).rejects.toThrow(/refuses LDAP_BIND_DN or LDAP_BIND_PASSWORD/);
      await expect(wrongPassword.authenticate('bob', passwordOf('bob'))).rejects.toBeInstanceOf(DirectoryUnavailable);
      await expect(at({ searchBase: 'ou=nowhere,dc=example,dc=org' }).checkAccess()).rejects.toThrow(
        /LDAP_SEARCH_BASE/,
      );
      await expect(at({ url: 'ldap://127.0.0.1:1' }).checkAccess()).rejects.toThrow(/ECONNREFUSED/);
      await expect(at({ url: 'ldap://nowhere.invalid' }).checkAccess()).rejects.toThrow(/cannot be reached/);
    });

    it('never has the password of the bind account in it', async () => {
      const errors = await Promise.all(
        [{ url: 'ldap://127.0.0.1:1' }, { url: start.it().ldaps }, { searchBase: 'ou=x' }].map((change) =>
          at(change)
            .checkAccess()
            .catch((error: unknown) => error),
        ),
      );
      for (const error of errors) expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain(BIND_PASSWORD);
    });
  });
}
