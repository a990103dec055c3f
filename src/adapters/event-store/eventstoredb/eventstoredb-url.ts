import { StartupError } from '../../../kernel/startup-error.js';
import { optionsOf, type UrlOptions } from './url-options.js';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** What EVENTSTOREDB_URL says. */
export interface EventStoreDbAddress extends UrlOptions {
  /** Ask the hosts which node leads, instead of using the one host as it is. */
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
 * Reads a connection string. The client's own parser lets pass what it then ignores, cuts a password at a colon and
 * prints the whole string, so it never sees it.
 * @throws StartupError, one line without secrets that says what to change
 */
export function parseEventStoreDbUrl(url: string): EventStoreDbAddress {
  const { scheme, user, hosts: list = '', query = '' } = SHAPE.exec(url.trim())?.groups ?? {};
  if (!scheme) throw refusal(`is not a connection string. ${ADVICE}`);
  if (scheme.startsWith('kurrentdb'))
    throw refusal('starts with kurrentdb, which this client does not know. Write esdb instead.');
  if (scheme !== 'esdb' && scheme !== 'esdb+discover')
    throw refusal(`starts with ${scheme}://, which is not known. ${ADVICE}`);
  const hosts = list.split(',').map(endpointOf);
  const credentials = user === undefined ? undefined : credentialsOf(user);
  const options = optionsOf(query, refusal);
  if (!options.tls && credentials) {
    throw refusal(
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

const refusal = (what: string): StartupError => new StartupError(`EVENTSTOREDB_URL ${what}`);

function endpointOf(text: string): Endpoint {
  if (/^\[|:.*:/.test(text))
    throw refusal('names an IPv6 address, which the client cannot use. Write a host name or an IPv4 address.');
  const [, address, port = DEFAULT_PORT] = HOST.exec(text) ?? [];
  if (!address) throw refusal(`names a host that cannot be read. ${ADVICE}`);
  if (Number(port) < 1 || Number(port) > 65_535) throw refusal(`has the port ${port}, which does not exist.`);
  return { address, port: Number(port) };
}

function credentialsOf(text: string): { username: string; password: string } {
  const [, username, password] = /^([^:]+):(.+)$/s.exec(text) ?? [];
  if (!username || !password)
    throw refusal('has a user without a password, or the other way round. Write user:password@host.');
  try {
    return { username: decodeURIComponent(username), password: decodeURIComponent(password) };
  } catch {
    throw refusal('has a % in user or password that is not an escape. Write %25 for it.');
  }
}
