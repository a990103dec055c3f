import { resolve } from 'node:path';
import { z } from 'zod';
import { STAGES } from '../../kernel/stage.js';
import { PROCESS_ROLES } from '../../platform/runtime/settings.js';
import {
  baseUrl,
  byteCount,
  duration,
  durationUpTo,
  eventStoreUrl,
  hasNoNul,
  MAX_PORT,
  networks,
  portNumber,
  postgresUrl,
  proxies,
  redisUrl,
  secretKey,
  serverName,
  yesOrNo,
} from './checks.js';
import { directoryVariables } from './directory-variables.js';
import { proxyVariables } from './proxy-variables.js';

/**
 * Every environment variable: the setting that it sets, its check, its default (`fallback` as text, or `unset` in words,
 * with `otherwise` as the value when that is not null), the expected value that an error message names, and its meaning.
 * `Settings` and `docs/reference/configuration.md` are made from this table.
 */
export const environment = {
  PORT: {
    setting: 'port',
    check: portNumber,
    fallback: '8080',
    expected: `a port number from 1 to ${MAX_PORT}`,
    meaning: 'TCP port on which the server answers HTTP, on all addresses of the machine.',
  },
  ODST_DATA_DIR: {
    setting: 'dataDir',
    check: z
      .string()
      .refine(hasNoNul)
      .transform((folder) => resolve(folder)),
    fallback: './data',
    expected: 'a folder',
    meaning:
      'Folder of the packages, the embedded database and `secret.key`. It is created when it is missing, and must be on one volume.',
  },
  ODST_URL: {
    setting: 'url',
    check: baseUrl,
    unset: '`http://<host name>:<PORT>` (https:// with a certificate) at the first start, then what `updateServer` set',
    expected: 'the http:// or https:// address at which peers and endpoints reach this server, without a query',
    meaning: 'Address at which peers and endpoints reach this server. Invitations contain it.',
  },
  ODST_NAME: {
    setting: 'name',
    check: serverName,
    unset: 'the host name at the first start, then what `updateServer` set',
    expected: 'a name of 1 to 100 characters',
    meaning: 'Name of this server, which its peers and the audit trail show.',
  },
  ODST_STAGE: {
    setting: 'stage',
    check: z.enum(STAGES),
    unset: 'Prod at the first start, then what `updateServer` set',
    expected: 'Dev, Test or Prod',
    meaning: 'The server holds packages of this stage and of later stages: Dev < Test < Prod.',
  },
  ODST_REACHABLE: {
    setting: 'reachable',
    check: yesOrNo,
    unset: 'true at the first start, then what `updateServer` set',
    expected: 'true or false',
    meaning:
      'With false, other servers cannot call this server, for example because of a firewall. It then keeps connections to its peers open, and they fetch its packages over these connections.',
  },
  ODST_ROLE: {
    setting: 'role',
    check: z.enum(PROCESS_ROLES),
    fallback: 'all',
    expected: 'all, api or worker',
    meaning:
      'A process with the role `api` answers HTTP, one with the role `worker` fetches and publishes packages, and `all` does both. Several processes of one server share its engines and its data folder; they need `DATABASE_URL`.',
  },
  ODST_ADMIN_PASSWORD: {
    setting: 'adminPassword',
    check: z.string().min(8).max(200),
    unset: 'a password is generated and printed once',
    expected: 'a password of 8 to 200 characters',
    meaning: 'Password of the account `admin`. It is used only when the account is created, at the first start.',
  },
  ODST_SECRET_KEY: {
    setting: 'secretKey',
    check: secretKey,
    unset: 'the file `secret.key` in the data folder, created at the first start',
    expected: '64 hexadecimal digits (32 bytes)',
    meaning: 'Key that encrypts the secrets of this server in the database, such as its private key.',
  },
  ODST_TLS_CERT_FILE: {
    check: z.string().refine(hasNoNul),
    unset: 'plain HTTP',
    expected: 'the path of a certificate in PEM format',
    meaning:
      'Certificate of this server, followed by the intermediate certificates. With it, the server answers by HTTPS only. The file is read again when it changes.',
  },
  ODST_TLS_KEY_FILE: {
    check: z.string().refine(hasNoNul),
    unset: 'plain HTTP',
    expected: 'the path of a private key in PEM format',
    meaning: 'Private key of the certificate, without a passphrase. Set both variables or neither.',
  },
  ODST_HSTS: {
    setting: 'hstsSeconds',
    check: durationUpTo(730).transform((ms) => ms / 1000),
    fallback: '180d',
    expected: 'a time of 0s to 730d, as a number and s, m, h or d',
    meaning:
      'Time for which browsers use only HTTPS with this host after an answer over HTTPS (`Strict-Transport-Security`). `0s` ends this. The header is sent only over HTTPS, to this server or to a trusted proxy that reports it.',
  },
  ODST_GRAPHQL_INTROSPECTION: {
    setting: 'introspection',
    check: yesOrNo,
    fallback: 'true',
    expected: 'true or false',
    meaning:
      'With false, the server does not show its GraphQL schema, and error messages do not suggest names from it. Callers who are not signed in never see the schema.',
  },
  ODST_GRAPHQL_RATE: {
    setting: 'graphqlRate',
    check: z
      .string()
      .regex(/^[1-9]\d{0,4}$/)
      .transform(Number),
    fallback: '50',
    expected: 'a number of operations per second from 1 to 99999',
    meaning:
      'GraphQL operations that one account may start per second, for 12 seconds also at once; an address may start five times as many. A script that waits for each answer stays below it.',
  },
  ODST_TRUSTED_PROXIES: {
    setting: 'trustedProxies',
    check: proxies,
    otherwise: [] as readonly string[],
    unset: 'none: `X-Forwarded-For`, `Forwarded` and `X-Forwarded-Proto` are ignored',
    expected: 'a comma-separated list of addresses, CIDR ranges, and the names loopback, linklocal and uniquelocal',
    meaning:
      'Proxies in front of this server whose `X-Forwarded-For`, `Forwarded` and `X-Forwarded-Proto` are trusted. The audit trail and the limits on addresses use the address that they report.',
  },
  ODST_ACCEL_REDIRECT: {
    setting: 'accelRedirect',
    check: z.string().regex(/^(?:\/[\w.-]+)+\/$/),
    unset: 'the server sends the files itself',
    expected: 'the path of an internal location of nginx, with a slash at both ends, such as /_odst/packages/',
    meaning:
      'The server answers a download with `X-Odst-Accel: 1` from one of `ODST_TRUSTED_PROXIES` by an `X-Accel-Redirect` to this location, and nginx sends the file. See `docker/nginx.conf`.',
  },
  ODST_ALLOWED_PEER_ADDRESSES: {
    setting: 'allowedPeerAddresses',
    check: networks,
    otherwise: [] as readonly string[],
    unset: 'none',
    expected: 'a comma-separated list of addresses and CIDR ranges, such as 127.0.0.1,fe80::/10',
    meaning:
      'Loopback and link-local addresses at which peers may be called. Without it, this server calls link-local addresses never, and loopback addresses only when `ODST_URL` is one. All other addresses of machines, also in private networks, are allowed; those at which clouds give out secrets are not, even when they are listed. A name is judged by the addresses that it has at the moment of each connection.',
  },
  ODST_ACCEPT_UNSIGNED: {
    setting: 'acceptsUnsignedFacts',
    check: yesOrNo,
    fallback: 'true',
    expected: 'true or false',
    meaning:
      'true: what a peer tells of a package is also accepted when its server did not sign it, because servers of earlier versions do not sign. Set false when all servers are upgraded. What is not signed in the name of a server that signs is refused in any case.',
  },
  ODST_WITHDRAWN_GRACE: {
    setting: 'withdrawnGraceMs',
    check: durationUpTo(30),
    fallback: '1h',
    expected: 'a time of 0s to 30d, as a number and s, m, h or d',
    meaning:
      'When a change of a stage means that this server no longer holds a package, it stops serving the package at once and deletes the file after this time. If it has to hold the package again before that, it fetches nothing. Files of removed packages are deleted at once.',
  },
  ODST_STOP_GRACE: {
    setting: 'stopGraceMs',
    check: duration.refine((ms) => ms <= 60 * 60 * 1000),
    fallback: '3s',
    expected: 'a time of 0s to 1h, as a number and s, m or h',
    meaning:
      'Time that downloads, uploads and other requests in progress get to end when the server stops. Then their connections are closed. The rest of a stop takes a few seconds more, so a container needs a longer time before it is killed.',
  },
  ODST_UNCLAIMED_KEEP: {
    setting: 'unclaimedKeepMs',
    check: durationUpTo(3650).refine((ms) => ms >= 24 * 60 * 60 * 1000),
    fallback: '30d',
    expected: 'a time of 1d to 3650d, as a number and h or d',
    meaning:
      'Time for which the server keeps files in its folders that belong to no package that it knows. It announces their deletion in its log before. `unclaimedFiles` lists them.',
  },
  ODST_SCRUB_RATE: {
    setting: 'scrubRate',
    check: byteCount,
    fallback: '20MiB',
    expected: 'bytes per second, such as 512KiB or 20MiB; 0 for none',
    meaning: 'Rate at which stored packages are read again to detect and repair disk damage.',
  },
  ODST_SCRUB_DAYS: {
    setting: 'scrubDays',
    check: z
      .string()
      .regex(/^\d{1,4}$/)
      .transform(Number),
    fallback: '30',
    expected: 'a number of days from 0 to 9999',
    meaning: 'Number of days after which a package is verified again; with 0, verification never pauses.',
  },
  ODST_LOG_LEVEL: {
    setting: 'logLevel',
    check: z.enum(['debug', 'info', 'warn', 'error']),
    fallback: 'info',
    expected: 'debug, info, warn or error',
    meaning: 'The lowest level of log lines that are written.',
  },
  DATABASE_URL: {
    setting: 'databaseUrl',
    check: postgresUrl,
    unset: 'the embedded PostgreSQL in the data folder',
    expected: 'postgres://user:password@host:5432/database',
    meaning: 'An external PostgreSQL 14 or newer, with a database that only this server uses.',
  },
  EVENTSTOREDB_URL: {
    setting: 'eventStoreUrl',
    check: eventStoreUrl,
    unset: 'the event log is kept in PostgreSQL',
    expected: 'esdb://user:password@host:2113?tls=true, or esdb+discover://… for a cluster',
    meaning:
      'An EventStoreDB, one node or a cluster, that only this server uses. The parameter `tlsCAFile=<path>` names a CA certificate.',
  },
  REDIS_URL: {
    setting: 'redisUrl',
    check: redisUrl,
    unset: 'the job queue is kept in PostgreSQL',
    expected: 'redis://user:password@host:6379/0, or rediss://… for TLS',
    meaning: 'A Redis for the job queue. Several servers can share one, because the keys contain the id of the server.',
  },
  ...proxyVariables,
  ...directoryVariables,
} as const;

export type VariableName = keyof typeof environment;

/** The variables whose value can be in a file, as container platforms provide secrets: `<name>_FILE` is its path. */
export const SECRETS: readonly VariableName[] = [
  'ODST_ADMIN_PASSWORD',
  'ODST_SECRET_KEY',
  'DATABASE_URL',
  'EVENTSTOREDB_URL',
  'REDIS_URL',
  'LDAP_BIND_PASSWORD',
  // They may contain a password.
  'HTTPS_PROXY',
  'HTTP_PROXY',
];
