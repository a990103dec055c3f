import type { IncomingMessage } from 'node:http';
import { isIP, isIPv6 } from 'node:net';
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

/**
 * Stands for the address of a caller when a trusted proxy names none that can be read. No list of networks includes it,
 * limits count it by itself, and the audit trail shows it.
 */
export const UNKNOWN_ADDRESS = 'unknown';

/** An IPv6 address that embeds an IPv4 address. A socket for both families has such addresses. */
const MAPPED = /^::ffff:(?:(\d+\.\d+\.\d+\.\d+)|([\da-f]{1,4}):([\da-f]{1,4}))$/i;

/** Writes an IPv4 address in its own notation, and an IPv6 address without the name of a network interface. */
function canonicalAddress(address: string): string {
  const [, dotted, high, low] = MAPPED.exec(address) ?? [];
  if (dotted !== undefined) return dotted;
  if (high === undefined || low === undefined) return address.replace(/%.*$/, '');
  const bytes = [high, low].map((group) => Number.parseInt(group, 16)).flatMap((group) => [group >> 8, group & 255]);
  return bytes.join('.');
}

/** `192.0.2.1:80`, `[2001:db8::1]` or `[2001:db8::1]:80`. RFC 7239 also permits hidden ports, such as `_a`. */
const WITH_PORT = /^(?:\[([^\]]*)\]|([\d.]+))(?::(?:\d{1,5}|_[\w.-]+))?$/;

/** The address of one hop, without port, brackets and quotes. Null when it cannot be read. */
function parseHop(text: string): string | null {
  const [, quoted = text] = /^\s*"(.*)"\s*$/.exec(text) ?? [];
  const hop = quoted.trim();
  const [, inBrackets, beforePort] = WITH_PORT.exec(hop) ?? [];
  if (inBrackets !== undefined && !isIPv6(inBrackets)) return null;
  const address = inBrackets ?? beforePort ?? hop;
  return isIP(address) === 0 ? null : canonicalAddress(address);
}

/** Divides a text at the separators that stand outside quotes. */
function splitOutsideQuotes(text: string, separator: string): readonly string[] {
  // Every second part of a text between quotes is quoted.
  const marked = text.split('"').map((part, i) => (i % 2 === 0 ? part.replaceAll(separator, '\n') : part));
  return marked.join('"').split('\n');
}

/** The hops in a `Forwarded` header (RFC 7239). An element without an address is a hop that cannot be read. */
function parseForwarded(header: string): (string | null)[] {
  // A caller could hide what the proxy appends within quotes that are not closed.
  if (header.split('"').length % 2 === 0) return [null];
  return splitOutsideQuotes(header, ',').map((element) => {
    const addresses = splitOutsideQuotes(element, ';').flatMap((pair) => /^\s*for\s*=(.*)$/i.exec(pair)?.[1] ?? []);
    return addresses.length === 1 ? parseHop(addresses[0] ?? '') : null;
  });
}

/** The first address from the end that does not belong to a trusted proxy. `hops` begins with the hop next to the client. */
function findCaller(remote: string, hops: (string | null)[], trust: Trust): string {
  let address = remote;
  for (let hop = 0; trust(address, hop); hop += 1) {
    const next = hops.pop();
    if (next === undefined) break;
    if (next === null) return UNKNOWN_ADDRESS;
    address = next;
  }
  return canonicalAddress(address);
}

/**
 * Returns the IP address of the caller, or null when the connection has none. When the connection comes from a trusted
 * proxy, this is the last address in X-Forwarded-For or Forwarded that is not the address of a trusted proxy, or
 * UNKNOWN_ADDRESS when what stands there cannot be read, or when the two headers differ: a proxy passes on the header
 * that it does not write itself, so that one may be an invention of the caller.
 */
export function callerAddress(request: IncomingMessage): string | null {
  const remote = request.socket.remoteAddress;
  if (remote === undefined) return null;
  const trust = trustedConnections.get(request.socket);
  if (!trust) return canonicalAddress(remote);
  const { 'x-forwarded-for': list, forwarded } = request.headers;
  const callers = [
    ...(list === undefined ? [] : [findCaller(remote, String(list).split(',').map(parseHop), trust)]),
    ...(forwarded === undefined ? [] : [findCaller(remote, parseForwarded(forwarded), trust)]),
  ];
  const [caller = canonicalAddress(remote), other = caller] = callers;
  return caller === other ? caller : UNKNOWN_ADDRESS;
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
