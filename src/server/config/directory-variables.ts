import { z } from 'zod';
import { checkGroupFilter, checkSearchFilter } from '../../adapters/directory/ldap/filters.js';
import { dnKey, parseRoleMap } from '../../kernel/directory-groups.js';
import { duration, noNul, yesOrNo } from './checks.js';

const ldapUrl = z
  .string()
  .regex(/^ldaps?:\/\/(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d+)?\/?$/)
  .refine(URL.canParse)
  .transform((value) => value.replace(/\/$/, ''));

const name = z.string().refine((value) => dnKey(value) !== null);

/** Tells with the value what is wrong about it. */
const readable = <T>(read: (value: string) => T) =>
  z.string().transform((value, context) => {
    try {
      return read(value);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
      return z.NEVER;
    }
  });

const checked = (check: (value: string) => void) =>
  readable((value) => {
    check(value);
    return value;
  });

/** The part of `environment` that is about the directory. */
export const directoryVariables = {
  LDAP_URL: {
    check: ldapUrl,
    unset: 'accounts of this server only',
    expected: 'ldap://host:389 or ldaps://host:636, without a path',
    meaning: 'A directory whose people may sign in, as `LDAP_ROLE_MAP` says. See `docs/how-to/ldap.md`.',
  },
  LDAP_START_TLS: {
    check: yesOrNo,
    fallback: 'false',
    expected: 'true or false',
    meaning: 'true: encrypt connections to ldap:// by StartTLS. Certificates are always verified.',
  },
  LDAP_CA_FILE: {
    check: z.string().refine(noNul),
    unset: 'the authorities that Node.js knows',
    expected: 'a file with certificates of authorities in PEM form',
    meaning: 'Who issued the certificate of the directory.',
  },
  LDAP_BIND_DN: {
    check: z.string().min(1),
    unset: 'people are searched without signing in',
    expected: 'the name of an account in the directory',
    meaning: 'The account by which people and groups are searched. It needs to read, nothing else.',
  },
  LDAP_BIND_PASSWORD: {
    check: z.string().min(1),
    unset: 'none',
    expected: 'the password of LDAP_BIND_DN',
    meaning: 'Password of that account. Better in a file: `LDAP_BIND_PASSWORD_FILE`.',
  },
  LDAP_SEARCH_BASE: {
    check: name,
    unset: 'needed with `LDAP_URL`',
    expected: 'a distinguished name, such as ou=people,dc=example,dc=org',
    meaning: 'People are searched below this entry.',
  },
  LDAP_SEARCH_FILTER: {
    check: checked(checkSearchFilter),
    fallback: '(uid={{username}})',
    expected: 'a search filter (RFC 4515) with {{username}} where the name belongs',
    meaning:
      'Whom a name means. The attribute that is compared first is the name of the account. Active Directory: `(&(objectCategory=person)(sAMAccountName={{username}}))`.',
  },
  LDAP_GROUP_SEARCH_BASE: {
    check: name,
    unset: '`LDAP_SEARCH_BASE`',
    expected: 'a distinguished name, such as ou=groups,dc=example,dc=org',
    meaning: 'Groups are searched below this entry.',
  },
  LDAP_GROUP_FILTER: {
    check: checked(checkGroupFilter),
    unset: `\`member\`, \`uniqueMember\` or \`memberUid\` is the person; with \`LDAP_NESTED_GROUPS=active-directory\` its matching rule`,
    expected: 'a search filter (RFC 4515) with {{dn}} or {{username}}',
    meaning: 'The groups of a person.',
  },
  LDAP_NESTED_GROUPS: {
    check: z.enum(['off', 'recursive', 'active-directory']),
    fallback: 'off',
    expected: 'off, recursive or active-directory',
    meaning:
      'Groups that are members of groups: `recursive` asks for the groups of each group, `active-directory` lets Active Directory do that (rule 1.2.840.113556.1.4.1941).',
  },
  LDAP_ID_ATTRIBUTE: {
    check: z.string().regex(/^[A-Za-z][A-Za-z0-9-]{0,63}$/),
    unset: '`entryUUID` or `objectGUID`, whichever the directory has',
    expected: 'the name of an attribute',
    meaning: 'What stays the same when a person is renamed.',
  },
  LDAP_ROLE_MAP: {
    check: readable(parseRoleMap),
    unset: 'needed with `LDAP_URL`',
    expected:
      'role=group; role=group …, the groups by their distinguished names, publisher with a stage as in publisher:Test=cn=packagers,ou=groups,dc=example,dc=org',
    meaning: 'Members of these groups have these roles. Who is in none of them is not let in.',
  },
  LDAP_TIMEOUT: {
    check: duration.refine((ms) => ms >= 1_000 && ms <= 60_000),
    fallback: '5s',
    expected: 'a time of 1s to 1m, as a number and s or m',
    meaning: 'So long one sign-in may wait for the directory.',
  },
} as const;
