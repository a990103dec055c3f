import { z } from 'zod';
import { StartupError } from '../../../kernel/errors.js';

/** The options after the `?`. Times are in milliseconds, as in the client. */
interface UrlOptions {
  readonly tls: boolean;
  /** Files in PEM: the certificate authority to trust, and the client's own certificate with its key. */
  readonly tlsCaFile?: string;
  readonly userCertFile?: string;
  readonly userKeyFile?: string;
  readonly connectionName?: string;
  readonly maxDiscoverAttempts?: number;
  readonly discoveryInterval?: number;
  readonly gossipTimeout?: number;
  readonly keepAliveInterval?: number;
  readonly keepAliveTimeout?: number;
}

const wholeNumber = z
  .string()
  .regex(/^\d{1,9}$/, 'must be a whole number')
  .transform(Number);
const onlyValue = (value: string, why: string) =>
  z
    .string()
    .refine((text) => text.toLowerCase() === value, `can only be ${value}: ${why}`)
    .optional();

/** The option names of the client, in lower case, since it accepts any case. */
const optionShape = z.strictObject({
  tls: z.enum(['true', 'false'], 'must be true or false').optional(),
  tlscafile: z.string().optional(),
  usercertfile: z.string().optional(),
  userkeyfile: z.string().optional(),
  connectionname: z.string().optional(),
  maxdiscoverattempts: wholeNumber.optional(),
  discoveryinterval: wholeNumber.optional(),
  gossiptimeout: wholeNumber.optional(),
  keepaliveinterval: wholeNumber.refine((ms) => ms >= 10_000, 'must be 10000 or more').optional(),
  keepalivetimeout: wholeNumber.optional(),
  tlsverifycert: onlyValue('true', 'the client always verifies. Name the CA with tlsCAFile instead'),
  throwonappendfailure: onlyValue('true', 'this server needs the errors. Remove it'),
  nodepreference: onlyValue('leader', 'this server must read what it wrote. Remove it'),
});

/** Parses the options of a connection string. @throws the error that `refusal` returns for a problem */
function optionsOf(query: string, refusal: (what: string) => Error): UrlOptions {
  const pairs = [...new URLSearchParams(query.replaceAll('+', '%2B'))];
  const parsed = optionShape.safeParse(Object.fromEntries(pairs.map(([key, value]) => [key.toLowerCase(), value])));
  if (!parsed.success) throw refusal(problemOf(parsed.error, pairs));
  const options = parsed.data;
  const tls = options.tls !== 'false';
  if (!tls && (options.tlscafile ?? options.usercertfile))
    throw refusal('has tls=false together with a certificate. Remove one of them.');
  if (!options.usercertfile !== !options.userkeyfile) throw refusal('needs userCertFile and userKeyFile together.');
  return {
    tls,
    tlsCaFile: options.tlscafile,
    userCertFile: options.usercertfile,
    userKeyFile: options.userkeyfile,
    connectionName: options.connectionname,
    maxDiscoverAttempts: options.maxdiscoverattempts,
    discoveryInterval: options.discoveryinterval,
    gossipTimeout: options.gossiptimeout,
    keepAliveInterval: options.keepaliveinterval,
    keepAliveTimeout: options.keepalivetimeout,
  };
}

function problemOf(error: z.ZodError, pairs: readonly (readonly [string, string])[]): string {
  const [issue] = error.issues;
  if (issue?.code === 'unrecognized_keys')
    return `has the option ${issue.keys[0]}, which is not known or not used here. Remove it.`;
  const name = issue?.path[0];
  const written = pairs.find(([key]) => key.toLowerCase() === name)?.[0] ?? String(name);
  return `has the option ${written}, which ${issue?.message}.`;
}

interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** The content of EVENTSTOREDB_URL. */
export interface EventStoreDbAddress extends UrlOptions {
  /** True to ask the hosts which node is the leader, instead of using the one host directly. */
  readonly discover: boolean;
  readonly hosts: readonly Endpoint[];
  readonly credentials?: { readonly username: string; readonly password: string };
  /** Hosts and ports for messages, without secrets. */
  readonly shown: string;
}

const DEFAULT_PORT = '2113';
const SHAPE = /^(?<scheme>[a-z+]+):\/\/(?:(?<user>[^/?#]*)@)?(?<hosts>[^/?#@]*)\/?(?:\?(?<query>[^#]*))?$/;
const HOST = /^([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?::(\d{1,5}))?$/;
const ADVICE = 'It looks like esdb://user:password@host:2113, or esdb+discover://… for a cluster.';

/**
 * Parses a connection string. The parser of the client is not used, because it accepts options and then ignores them,
 * cuts a password at a colon, and prints the whole string.
 * @throws StartupError, one line without secrets that says what to change
 */
export function parseEventStoreDbUrl(url: string): EventStoreDbAddress {
  const { scheme, user, hosts: list = '', query = '' } = SHAPE.exec(url.trim())?.groups ?? {};
  if (!scheme) throw urlError(`is not a connection string. ${ADVICE}`);
  if (scheme.startsWith('kurrentdb'))
    throw urlError('starts with kurrentdb, which this client does not know. Write esdb instead.');
  if (scheme !== 'esdb' && scheme !== 'esdb+discover')
    throw urlError(`starts with ${scheme}://, which is not known. ${ADVICE}`);
  const hosts = list.split(',').map(endpointOf);
  const credentials = user === undefined ? undefined : credentialsOf(user);
  const options = optionsOf(query, urlError);
  if (!options.tls && credentials) {
    throw urlError(
      'has tls=false together with a user: without TLS no password is sent. Remove the user, or tls=false.',
    );
  }
  const shown = hosts.map(({ address, port }) => `${address}:${port}`).join(',');
  return {
    ...options,
    ...(credentials && { credentials }),
    discover: scheme === 'esdb+discover' || hosts.length > 1,
    hosts,
    shown,
  };
}

const urlError = (what: string): StartupError => new StartupError(`EVENTSTOREDB_URL ${what}`);

function endpointOf(text: string): Endpoint {
  if (/^\[|:.*:/.test(text))
    throw urlError('names an IPv6 address, which the client cannot use. Write a host name or an IPv4 address.');
  const [, address, port = DEFAULT_PORT] = HOST.exec(text) ?? [];
  if (!address) throw urlError(`names a host that cannot be read. ${ADVICE}`);
  if (Number(port) < 1 || Number(port) > 65_535) throw urlError(`has the port ${port}, which does not exist.`);
  return { address, port: Number(port) };
}

function credentialsOf(text: string): { username: string; password: string } {
  const [, username, password] = /^([^:]+):(.+)$/s.exec(text) ?? [];
  if (!username || !password)
    throw urlError('has a user without a password, or the other way round. Write user:password@host.');
  try {
    return { username: decodeURIComponent(username), password: decodeURIComponent(password) };
  } catch {
    throw urlError('has a % in user or password that is not an escape. Write %25 for it.');
  }
}
