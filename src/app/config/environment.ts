import { z } from 'zod';
import { checkGroupFilter, checkSearchFilter } from '../../adapters/directory/ldap/search/filters.js';
import { isBaseUrl } from '../../kernel/base-url.js';
import { dnKey } from '../../kernel/directory/distinguished-name.js';
import { parseRoleMap } from '../../kernel/directory/role-map.js';
import { STAGES } from '../../kernel/stage.js';
import { ROLES } from '../../platform/config/settings.js';
import { areProxies } from '../../platform/http/forwarded/trust.js';

const MAX_PORT = 65_535;

const port = z
  .string()
  .regex(/^\d+$/)
  .transform(Number)
  .refine((value) => value >= 1 && value <= MAX_PORT);

const baseUrl = z
  .string()
  .transform((value) => value.replace(/\/+$/, ''))
  .refine((value) => isBaseUrl(value) && URL.canParse(value));

const postgresUrl = z.string().refine((value) => /^postgres(ql)?:\/\//.test(value) && URL.canParse(value));

const eventStoreUrl = z.string().refine((value) => /^esdb(\+discover)?:\/\/[^/?#]+/.test(value));

const redisUrl = z.string().refine((value) => /^rediss?:\/\//.test(value) && URL.canParse(value));

const key = z
  .string()
  .regex(/^[0-9a-fA-F]{64}$/)
  .transform((hex) => Buffer.from(hex, 'hex'));

const proxies = z
  .string()
  .transform((list) => list.split(',').map((entry) => entry.trim()))
  .refine(areProxies);

const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;
const MAX_GRACE_MS = 30 * SECONDS.d * 1000;

/** `90s`, `15m`, `12h` or `3d` in milliseconds. */
const duration = z
  .string()
  .regex(/^\d{1,9}[smhd]$/)
  .transform((text) => Number(text.slice(0, -1)) * SECONDS[z.enum(['s', 'm', 'h', 'd']).parse(text.slice(-1))] * 1000);
const UNITS = { '': 1, B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

const byteCount = z
  .string()
  .regex(/^\d{1,12}(B|KiB|MiB|GiB)?$/)
  .transform((text) => {
    const [, digits = '', unit = ''] = /^(\d+)(.*)$/.exec(text) ?? [];
    return Number(digits) * (Object.entries(UNITS).find(([name]) => name === unit)?.[1] ?? 1);
  })
  .refine(Number.isSafeInteger);
const yesOrNo = z.enum(['true', 'false']).transform((value) => value === 'true');

const noNul = (value: string): boolean => !value.includes('\0');

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

const checked = (check: (value: string) => void) => readable((value) => {
  check(value);
  return value;
});

/**
 * Every environment variable: its default (`fallback`, or `unset` in words), its check, what to say when the check
 * fails, and what it is for. `docs/reference/configuration.md` is made from this.
 */
export const environment = {
  PORT: {
    check: port,
    fallback: '8080',
    expected: `a port number from 1 to ${MAX_PORT}`,
    meaning: 'TCP port of everything over HTTP, on all addresses of the machine.',
  },
  ODST_DATA_DIR: {
    check: z.string().refine(noNul),
    fallback: './data',
    expected: 'a folder',
    meaning: 'Packages, the embedded database and `secret.key`. Made when missing. All on one volume.',
  },
  ODST_URL: {
    check: baseUrl,
    unset: '`http://<host name>:<PORT>` at the first start, then what `updateServer` set',
    expected: 'the http:// or https:// address under which peers and endpoints reach this server, without a query',
    meaning: 'Address under which peers and endpoints reach this server. Invitations carry it.',
  },
  ODST_NAME: {
    check: z.string().trim().min(1).max(100),
    unset: 'the host name at the first start, then what `updateServer` set',
    expected: 'a name of 1 to 100 characters',
    meaning: 'Name of this server, as its peers and the audit trail show it.',
  },
  ODST_STAGE: {
    check: z.enum(STAGES),
    unset: 'Prod at the first start, then what `updateServer` set',
    expected: 'Dev, Test or Prod',
    meaning: 'The server takes packages of this stage or a later one: Dev < Test < Prod.',
  },
  ODST_REACHABLE: {
    check: yesOrNo,
    unset: 'true at the first start, then what `updateServer` set',
    expected: 'true or false',
    meaning:
      'false: nobody can call this server, such as one behind a firewall. It then keeps connections open to its peers, on which they get its packages.',
  },
  ODST_ROLE: {
    check: z.enum(ROLES),
    fallback: 'all',
    expected: 'all, api or worker',
    meaning:
      '`api` answers HTTP, `worker` fetches and publishes, `all` does both. Several processes of one server share its engines and its data folder; they need `DATABASE_URL`.',
  },
  ODST_ADMIN_PASSWORD: {
    check: z.string().min(8).max(200),
    unset: 'one is made and printed once',
    expected: 'a password of 8 to 200 characters',
    meaning: 'Password of the account `admin`. Used only when the account is made, at the first start.',
  },
  ODST_SECRET_KEY: {
    check: key,
    unset: 'the file `secret.key` in the data folder, made at the first start',
    expected: '64 hexadecimal digits (32 bytes)',
    meaning: "Encrypts this server's private key in the database.",
  },
  ODST_TRUSTED_PROXIES: {
    check: proxies,
    unset: 'none: `X-Forwarded-For` and `X-Forwarded-Proto` are ignored',
    expected: 'addresses or CIDR ranges in a comma separated list, or loopback, linklocal, uniquelocal among them',
    meaning:
      'Proxies in front of this server whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed, for the audit trail and the limits on addresses.',
  },
  ODST_ACCEL_REDIRECT: {
    check: z.string().regex(/^(?:\/[\w.-]+)+\/$/),
    unset: 'the server sends the files itself',
    expected: 'the path of an internal location of nginx with a slash at both ends, such as /_odst/packages/',
    meaning:
      'Downloads that come with `X-Odst-Accel: 1` are answered by `X-Accel-Redirect` to this location; nginx sends the file. See `docker/nginx.conf`.',
  },
  ODST_WITHDRAWN_GRACE: {
    check: duration.refine((ms) => ms <= MAX_GRACE_MS),
    fallback: '1h',
    expected: 'a time of 0s to 30d, as a number and s, m, h or d',
    meaning:
      'A package that its stage or the stage of this server takes away is no longer served at once; its file is deleted after this time. Wanted again within it, nothing is fetched. Removed packages are deleted at once.',
  },
  ODST_SCRUB_RATE: {
    check: byteCount,
    fallback: '20MiB',
    expected: 'bytes per second, such as 512KiB or 20MiB; 0 for none',
    meaning: 'So much of the stored packages is read again each second, to find and mend what the disk has damaged.',
  },
  ODST_SCRUB_DAYS: {
    check: z.string().regex(/^\d{1,4}$/).transform(Number),
    fallback: '30',
    expected: 'a number of days from 0 to 9999',
    meaning: 'A package is read again when so many days have passed since it was last verified; 0: over and over.',
  },
  ODST_LOG_LEVEL: {
    check: z.enum(['debug', 'info', 'warn', 'error']),
    fallback: 'info',
    expected: 'debug, info, warn or error',
    meaning: 'Lines of this level and above are logged.',
  },
  DATABASE_URL: {
    check: postgresUrl,
    unset: 'the embedded PostgreSQL in the data folder',
    expected: 'postgres://user:password@host:5432/database',
    meaning: 'A PostgreSQL 14 or newer that somebody else runs, with a database for this server alone.',
  },
  EVENTSTOREDB_URL: {
    check: eventStoreUrl,
    unset: 'the event log is kept in PostgreSQL',
    expected: 'esdb://user:password@host:2113?tls=true, or esdb+discover://… for a cluster',
    meaning: 'An EventStoreDB, one node or a cluster, for this server alone. `tlsCAFile=<path>` in it names a CA certificate.',
  },
  REDIS_URL: {
    check: redisUrl,
    unset: 'the job queue is kept in PostgreSQL',
    expected: 'redis://user:password@host:6379/0, or rediss://… for TLS',
    meaning: 'A Redis for the job queue. Several servers may share one: keys carry the id of the server.',
  },
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
    expected: 'role=group; role=group …, the groups by their distinguished names, publisher with a stage as in publisher:Test=cn=packagers,ou=groups,dc=example,dc=org',
    meaning: 'Members of these groups have these roles. Who is in none of them is not let in.',
  },
  LDAP_TIMEOUT: {
    check: duration.refine((ms) => ms >= 1_000 && ms <= 60_000),
    fallback: '5s',
    expected: 'a time of 1s to 1m, as a number and s or m',
    meaning: 'So long one sign-in may wait for the directory.',
  },
} as const;

export type VariableName = keyof typeof environment;

/** Secrets may stand in a file, as container platforms hand them over: `<name>_FILE` is its path. */
export const SECRETS: readonly VariableName[] = [
  'ODST_ADMIN_PASSWORD',
  'ODST_SECRET_KEY',
  'DATABASE_URL',
  'EVENTSTOREDB_URL',
  'REDIS_URL',
  'LDAP_BIND_PASSWORD',
];
