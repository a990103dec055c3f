import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LdapDirectory } from '../../../src/adapters/directory/ldap/ldap-directory.js';
import { loadSettings } from '../../../src/server/config/load-settings.js';
import { rightsOf } from '../../../src/ports/directory-groups.js';
import { InProcessDirectory } from '../../support/directory/in-process/in-process-directory.js';
import { BASE, BIND_DN, BIND_PASSWORD, ENTRIES } from '../../support/directory/people.js';

const USERS = `CN=Users,${BASE}`;
const user = (name: string, values: Record<string, string[]> = {}) => ({
  dn: `CN=${name},${USERS}`,
  attributes: {
    objectClass: ['user'],
    objectCategory: ['person'],
    sAMAccountName: [name],
    cn: [name],
    userAccountControl: ['512'],
    mail: [`${name}@corp.example`],
    userPassword: [`Pa55 of ${name}`],
    objectGUID: [Buffer.concat([Buffer.alloc(16 - name.length, 0xff), Buffer.from(name)])],
    ...values,
  },
});
const group = (name: string, ...member: string[]) => ({
  dn: `CN=${name},${USERS}`,
  attributes: { objectClass: ['group'], cn: [name], member },
});
const dnOf = (name: string): string => `CN=${name},${USERS}`;

/** 2024-01-01 as Active Directory counts. */
const LONG_AGO = '133485408000000000';

let server: InProcessDirectory;
beforeAll(async () => {
  server = await InProcessDirectory.start(ENTRIES.slice(0, 2));
  await server.add({ dn: USERS, attributes: { objectClass: ['container'], cn: ['Users'] } });
  const people = [
    user('ada'),
    user('off', { userAccountControl: ['514'] }),
    user('past', { accountExpires: [LONG_AGO] }),
    user('never', { accountExpires: ['9223372036854775807'] }),
    user('zero', { accountExpires: ['0'] }),
  ];
  for (const entry of people) await server.add(entry);
  await server.add(group('Team', dnOf('ada'), dnOf('off')));
  await server.add(group('Department', dnOf('Team')));
  await server.add(group('ODS Admins', dnOf('Department')));
});
afterAll(() => server.stop());

const settings = (change: Record<string, string> = {}) => {
  const { directory } = loadSettings({
    LDAP_URL: server.ldap,
    LDAP_BIND_DN: BIND_DN,
    LDAP_BIND_PASSWORD: BIND_PASSWORD,
    LDAP_SEARCH_BASE: USERS,
    LDAP_SEARCH_FILTER: '(&(objectCategory=person)(sAMAccountName={{username}}))',
    LDAP_NESTED_GROUPS: 'active-directory',
    LDAP_ROLE_MAP: `admin=cn=ods admins,${USERS.toLowerCase()}`,
    ...change,
  });
  if (!directory) throw new Error('There is no directory');
  return directory;
};
const directory = (change: Record<string, string> = {}) => new LdapDirectory(settings(change));

describe('Active Directory', () => {
  it('follows groups within groups itself, by its matching rule', async () => {
    const verdict = await directory().authenticate('Ada', 'Pa55 of ada');
    expect(verdict).toMatchObject({
      person: { username: 'ada', id: expect.stringMatching(/^objectGUID=[0-9a-f]{32}$/) },
    });
    if (!('person' in verdict)) return;
    expect(verdict.person.groups.toSorted()).toEqual(['Department', 'ODS Admins', 'Team'].map(dnOf));
    expect(rightsOf(verdict.person.groups, settings().roleMap).roles).toEqual(['admin']);
  });

  it('finds people again by their objectGUID, which is no text', async () => {
    const ada = await directory().findPerson('ada');
    expect(await directory().findPeople([ada?.id ?? ''])).toEqual([ada]);
  });

  it.each([
    ['off', true],
    ['past', true],
    ['never', false],
    ['zero', false],
    ['ada', false],
  ])('tells of %s whether the account is disabled: %s', async (name, disabled) => {
    expect(await directory().findPerson(name)).toMatchObject({ disabled });
    const verdict = await directory().authenticate(name, `Pa55 of ${name}`);
    expect('refused' in verdict).toBe(disabled);
  });

  it('may leave disabled accounts out by its bit rule', async () => {
    const filter = '(&(sAMAccountName={{username}})(!(userAccountControl:1.2.840.113556.1.4.803:=2)))';
    expect(await directory({ LDAP_SEARCH_FILTER: filter }).findPerson('off')).toBeNull();
    const off = await directory().findPerson('off');
    expect(await directory({ LDAP_SEARCH_FILTER: filter }).findPeople([off?.id ?? ''])).toEqual([]);
  });

  it('lets people in by another name, and calls the account by the first', async () => {
    const either = directory({ LDAP_SEARCH_FILTER: '(|(sAMAccountName={{username}})(mail={{username}}))' });
    expect(await either.authenticate('ada@corp.example', 'Pa55 of ada')).toMatchObject({ person: { username: 'ada' } });
  });
});
