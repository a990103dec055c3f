import { z } from 'zod';
import { isBaseUrl } from '../../kernel/text.js';
import { STAGES } from '../../kernel/stage.js';
import { PROCESS_ROLES } from '../../platform/runtime/settings.js';
import { areProxies } from '../../platform/http/caller-address.js';
import { duration, noNul, yesOrNo } from './checks.js';
import { directoryVariables } from './directory-variables.js';

const MAX_PORT = 65_535;
const DAY_MS = 24 * 60 * 60 * 1000;
const MAX_GRACE_MS = 30 * DAY_MS;
const MAX_HSTS_MS = 730 * DAY_MS;

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

const UNITS = { '': 1, B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

const byteCount = z
  .string()
  .regex(/^\d{1,12}(B|KiB|MiB|GiB)?$/)
  .transform((text) => {
    const [, digits = '', unit = ''] = /^(\d+)(.*)$/.exec(text) ?? [];
    return Number(digits) * (Object.entries(UNITS).find(([name]) => name === unit)?.[1] ?? 1);
  })
  .refine(Number.isSafeInteger);

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
    unset: '`http://<host name>:<PORT>` (https:// with a certificate) at the first start, then what `updateServer` set',
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
    check: z.enum(PROCESS_ROLES),
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
  ODST_TLS_CERT_FILE: {
    check: z.string().refine(noNul),
    unset: 'plain HTTP',
    expected: 'the path of a certificate in PEM form',
    meaning:
      'Certificate of this server, followed by those of the authorities between it and the root. With it, everything is served by HTTPS. Read again when it changes.',
  },
  ODST_TLS_KEY_FILE: {
    check: z.string().refine(noNul),
    unset: 'plain HTTP',
    expected: 'the path of a private key in PEM form',
    meaning: 'Private key of the certificate, without a passphrase. Both are set, or none.',
  },
  ODST_HSTS: {
    check: duration.refine((ms) => ms <= MAX_HSTS_MS),
    fallback: '180d',
    expected: 'a time of 0s to 730d, as a number and s, m, h or d',
    meaning:
      'Browsers that came by https use nothing else with this host for so long (`Strict-Transport-Security`); `0s` makes them forget it. Sent over https only, also when a trusted proxy says that it was.',
  },
  ODST_GRAPHQL_INTROSPECTION: {
    check: yesOrNo,
    fallback: 'true',
    expected: 'true or false',
    meaning: 'false: nobody is told the schema of GraphQL, nor given hints at names in it. Strangers never are.',
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
    check: z
      .string()
      .regex(/^\d{1,4}$/)
      .transform(Number),
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
    meaning:
      'An EventStoreDB, one node or a cluster, for this server alone. `tlsCAFile=<path>` in it names a CA certificate.',
  },
  REDIS_URL: {
    check: redisUrl,
    unset: 'the job queue is kept in PostgreSQL',
    expected: 'redis://user:password@host:6379/0, or rediss://… for TLS',
    meaning: 'A Redis for the job queue. Several servers may share one: keys carry the id of the server.',
  },
  ...directoryVariables,
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
