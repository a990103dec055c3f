import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import proxyAddr from 'proxy-addr';

/**
 * True when this is the address of a trusted proxy. `hop` is 0 for the client of the connection, and grows from there.
 */
type Trust = (address: string, hop: number) => boolean;

/**
 * Returns the test for trusted proxies, or null when the list is empty.
 * @throws TypeError when an item is neither an address nor a CIDR range nor a name that `areProxies` lists
 */
export const trustOf = (proxies: readonly string[]): Trust | null =>
  proxies.length === 0 ? null : proxyAddr.compile([...proxies]);

/** True when the list has items and each is an address, a CIDR range, `loopback`, `linklocal` or `uniquelocal`. */
export function areProxies(list: readonly string[]): boolean {
  try {
    return trustOf(list) !== null;
  } catch {
    return false;
  }
}

const trustedConnections = new WeakMap<Duplex, Trust>();

/** Applies a test for trusted proxies to all requests on this connection, including upgrades. */
export const trustProxies = (socket: Duplex, trust: Trust): void => void trustedConnections.set(socket, trust);

/** Writes an IPv4 address in its own notation. A socket for both families gives it as an IPv6 address (`::ffff:`). */
const withoutMappedPrefix = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '');

/**
 * Returns the IP address of the caller, or null when the connection has none. When the connection comes from a trusted
 * proxy, this is the last address in X-Forwarded-For that is not the address of a trusted proxy. When the header
 * contains something else there, such as `unknown`, this is the address of the proxy itself.
 */
export function callerAddress(request: IncomingMessage): string | null {
  const remote = request.socket.remoteAddress;
  const trust = trustedConnections.get(request.socket);
  if (remote === undefined) return null;
  const forwarded = trust ? proxyAddr(request, trust) : remote;
  return withoutMappedPrefix(isIP(forwarded) === 0 ? remote : forwarded);
}

/** True when a request comes directly from a trusted proxy. */
export const isFromTrustedProxy = ({ socket }: IncomingMessage): boolean =>
  trustedConnections.get(socket)?.(socket.remoteAddress ?? '', 0) === true;

/** True when a request came by HTTPS, to this server or to a trusted proxy that says so in X-Forwarded-Proto. */
export function cameByHttps(request: IncomingMessage): boolean {
  const { socket, headers } = request;
  if ('encrypted' in socket && socket.encrypted === true) return true;
  const proto = headers['x-forwarded-proto'];
  return isFromTrustedProxy(request) && typeof proto === 'string' && proto.split(',', 1)[0]?.trim() === 'https';
}
