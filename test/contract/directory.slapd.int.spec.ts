import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LdapDirectory } from '../../src/adapters/directory/ldap/ldap-directory.js';
import { groupDn, passwordOf, PEOPLE, personEntry } from '../support/directory/people.js';
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

  describe('without encryption', () => {
    directoryContract({ it: () => slapd });
  });
  describe('with StartTLS', () => {
    directoryContract({ it: () => slapd, with: () => ({ startTls: true, ca: slapd.ca }) });
  });
});
