import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import proxyAddr from 'proxy-addr';

/** Is this the address of a proxy that we believe? `hop` counts from the connection on. */
type Trust = (address: string, hop: number) => boolean;

/** Null when there are none. @throws TypeError for what is neither an address, a CIDR range nor a known name */
export const trustOf = (proxies: readonly string[]): Trust | null =>
  proxies.length === 0 ? null : proxyAddr.compile([...proxies]);

/** Are all of these addresses, CIDR ranges, or `loopback`, `linklocal`, `uniquelocal`? */
export function areProxies(list: readonly string[]): boolean {
  try {
    return trustOf(list) !== null;
  } catch {
    return false;
  }
}

const trustedConnections = new WeakMap<Duplex, Trust>();

/** Whoever this connection comes from may be a proxy: requests on it, also upgrades, are checked for that. */
export const trustProxies = (socket: Duplex, trust: Trust): void => void trustedConnections.set(socket, trust);

/** IPv4 in its own notation also on a socket that speaks both. */
const withoutMappedPrefix = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '');

/**
 * IP address of the caller: of the connection, or, while that is a trusted proxy's, the last in X-Forwarded-For that is
 * not. Anything else that a proxy passes on there, such as `unknown`, leaves the proxy's own address.
 */
export function callerAddress(request: IncomingMessage): string | null {
  const remote = request.socket.remoteAddress;
  const trust = trustedConnections.get(request.socket);
  if (remote === undefined) return null;
  const forwarded = trust ? proxyAddr(request, trust) : remote;
  return withoutMappedPrefix(isIP(forwarded) === 0 ? remote : forwarded);
}

/** Was it sent by https, to us or to a trusted proxy, which says so in X-Forwarded-Proto? */
export function cameByHttps(request: IncomingMessage): boolean {
  const { socket, headers } = request;
  if ('encrypted' in socket && socket.encrypted === true) return true;
  const proto = headers['x-forwarded-proto'];
  const isProxy = trustedConnections.get(socket)?.(socket.remoteAddress ?? '', 0) === true;
  return isProxy && typeof proto === 'string' && proto.split(',', 1)[0]?.trim() === 'https';
}
