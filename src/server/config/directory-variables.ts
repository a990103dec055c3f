import { z } from 'zod';
import { checkGroupFilter, checkSearchFilter } from '../../adapters/directory/ldap/filters.js';
import { parseRoleMap } from '../../ports/directory-groups.js';
import { distinguishedName, duration, hasNoNul, ldapUrl, parsedBy, textChecked, yesOrNo } from './checks.js';

/** The part of `environment` that is about the directory. */
export const directoryVariables = {
  LDAP_URL: {
    check: ldapUrl,
    unset: 'accounts of this server only',
    expected: 'ldap://host:389 or ldaps://host:636, without a path',
    meaning:
      'Address of a directory whose users can sign in, with the roles of `LDAP_ROLE_MAP`. See `docs/how-to/ldap.md`.',
  },
  LDAP_START_TLS: {
    check: yesOrNo,
    fallback: 'false',
    expected: 'true or false',
    meaning: 'true: connections to ldap:// are encrypted by StartTLS. Certificates are always verified.',
  },
  LDAP_CA_FILE: {
    check: z.string().refine(hasNoNul),
    unset: 'the certificate authorities that Node.js trusts',
    expected: 'a file with certificates of certificate authorities in PEM format',
    meaning: 'The certificate authorities that are trusted for the certificate of the directory.',
  },
  LDAP_BIND_DN: {
    check: z.string().min(1),
    unset: 'users are searched anonymously',
    expected: 'the distinguished name of an account in the directory',
    meaning: 'The account with which users and groups are searched. It only needs read access.',
  },
  LDAP_BIND_PASSWORD: {
    check: z.string().min(1),
    unset: 'none',
    expected: 'the password of LDAP_BIND_DN',
    meaning: 'Password of the account in `LDAP_BIND_DN`. A file is safer: `LDAP_BIND_PASSWORD_FILE`.',
  },
  LDAP_SEARCH_BASE: {
    check: distinguishedName,
    unset: 'required with `LDAP_URL`',
    expected: 'a distinguished name, such as ou=people,dc=example,dc=org',
    meaning: 'Users are searched below this entry.',
  },
  LDAP_SEARCH_FILTER: {
    check: textChecked(checkSearchFilter),
    fallback: '(uid={{username}})',
    expected: 'a search filter (RFC 4515) that contains {{username}} in the place of the username',
    meaning:
      'Finds the user who signs in. The first attribute that is compared with {{username}} becomes the name of the account. Active Directory: `(&(objectCategory=person)(sAMAccountName={{username}}))`.',
  },
  LDAP_GROUP_SEARCH_BASE: {
    check: distinguishedName,
    unset: '`LDAP_SEARCH_BASE`',
    expected: 'a distinguished name, such as ou=groups,dc=example,dc=org',
    meaning: 'Groups are searched below this entry.',
  },
  LDAP_GROUP_FILTER: {
    check: textChecked(checkGroupFilter),
    unset: `\`member\`, \`uniqueMember\` or \`memberUid\` is the user; with \`LDAP_NESTED_GROUPS=active-directory\` the matching rule of Active Directory`,
    expected: 'a search filter (RFC 4515) with {{dn}} or {{username}}',
    meaning: 'Finds the groups of a user.',
  },
  LDAP_NESTED_GROUPS: {
    check: z.enum(['off', 'recursive', 'active-directory']),
    fallback: 'off',
    expected: 'off, recursive or active-directory',
    meaning:
      'How groups are found that are members of other groups: with `recursive` this server asks for the groups of each group, with `active-directory` Active Directory does it (rule 1.2.840.113556.1.4.1941).',
  },
  LDAP_ID_ATTRIBUTE: {
    check: z.string().regex(/^[A-Za-z][A-Za-z0-9-]{0,63}$/),
    unset: '`entryUUID` or `objectGUID`, whichever the directory has',
    expected: 'the name of an attribute',
    meaning: 'The attribute that identifies a user and stays the same when the user is renamed.',
  },
  LDAP_ROLE_MAP: {
    check: parsedBy(parseRoleMap),
    unset: 'required with `LDAP_URL`',
    expected:
      'role=group; role=group …, the groups by their distinguished names, publisher with a stage as in publisher:Test=cn=packagers,ou=groups,dc=example,dc=org',
    meaning: 'The roles of the members of each group. A user who is in none of these groups cannot sign in.',
  },
  LDAP_TIMEOUT: {
    check: duration.refine((ms) => ms >= 1_000 && ms <= 60_000),
    fallback: '5s',
    expected: 'a time of 1s to 1m, as a number and s or m',
    meaning: 'The longest time that one sign-in waits for the directory.',
  },
} as const;
