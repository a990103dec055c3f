import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LdapDirectory } from '../../src/adapters/directory/ldap/ldap-directory.js';
import { groupDn, GROUPS, passwordOf, PEOPLE, personDn, personEntry } from '../support/directory/people.js';
import { settingsOf } from '../support/directory/settings-of.js';
import { Slapd } from '../support/directory/slapd.js';
import { describeWithSlapd } from '../support/directory/with-slapd.js';
import { directoryContract } from './directory.contract.js';

describeWithSlapd('OpenLDAP', () => {
  let slapd: Slapd;
  beforeAll(async () => {
    slapd = await Slapd.start();
  });
  afterAll(() => slapd.stop());

  it('takes a backslash in the name of an entry', async () => {
    const dn = `cn=back\\5Cslash,${PEOPLE}`;
    const { attributes } = personEntry('back');
    await slapd.add({ dn, attributes: { ...attributes, cn: ['back\\slash'] } });
    await slapd.addMember(groupDn('publishers'), dn);
    const verdict = await new LdapDirectory(settingsOf(slapd.ldap)).authenticate('back', passwordOf('back'));
    expect(verdict).toMatchObject({ person: { username: 'back', groups: [groupDn('publishers')] } });
  });

  it('finds groups of all kinds', async () => {
    const [names, posix] = [`cn=names,${GROUPS}`, `cn=posix,${GROUPS}`];
    await slapd.add({
      dn: names,
      attributes: { objectClass: ['groupOfUniqueNames'], cn: ['names'], uniqueMember: [personDn('cat')] },
    });
    await slapd.add({
      dn: posix,
      attributes: { objectClass: ['posixGroup'], cn: ['posix'], gidNumber: ['100'], memberUid: ['cat'] },
    });
    const cat = await new LdapDirectory(settingsOf(slapd.ldap, { recursive: true })).findPerson('cat');
    expect(cat?.groups.toSorted()).toEqual([names, posix]);
    for (const dn of [names, posix]) await slapd.remove(dn);
  });

  describe('without encryption', () => {
    directoryContract({ it: () => slapd });
  });
  describe('with StartTLS', () => {
    directoryContract({ it: () => slapd, with: () => ({ startTls: true, ca: slapd.ca }) });
  });
});
