import { type ClientRequest, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, isIPv6, type Socket } from 'node:net';
import { domainToASCII } from 'node:url';
import { PeerUnreachable } from '../../../ports/peer-transport.port.js';
import { failureReason } from './failure-reason.js';
import { hostOf, Networks } from './peer-addresses.js';

// Calls to https:// addresses and tunnels go through a proxy by CONNECT, calls to http:// addresses by absolute-form
// requests (RFC 9112, 3.2.2), as curl does it. Node's own support differs from version to version, and reaches neither
// plain sockets nor WebSockets; so it is not used.

/** The proxies for outgoing calls, as an administrator sets them: plain data. */
export interface ProxySettings {
  /** The http:// or https:// address of the proxy for calls to https:// addresses. Null for none. */
  readonly https: string | null;
  /** The address of the proxy for calls to http:// addresses. Null for none. */
  readonly http: string | null;
  /** The servers that are called directly: names, addresses, networks, or `*`. */
  readonly exceptions: readonly string[];
}

export const NO_PROXIES: ProxySettings = { https: null, http: null, exceptions: [] };

/** A proxy to connect to. */
export interface Proxy {
  /** True when the connection to the proxy itself is encrypted. */
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** The host and the port of a proxy, for people. The password is never shown. */
export const nameOf = ({ host, port }: Pick<Proxy, 'host' | 'port'>): string => `${bracketed(host)}:${port}`;

const bracketed = (host: string): string => (isIPv6(host) ? `[${host}]` : host);

/** Returns the proxy at an address such as `http://user:password@proxy.example:3128`. Null when it is not such an address. */
export function parseProxy(address: string): Proxy | null {
  // Many programs take an address without a scheme.
  const text = address.includes('://') ? address : `http://${address}`;
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return null;
  const { protocol, port, pathname, search, hash, username, password } = new URL(text);
  if (pathname !== '/' || search !== '' || hash !== '') return null;
  const secure = protocol === 'https:';
  const headers = authorizationOf(username, password);
  return headers && { secure, host: hostOf(text), port: Number(port || (secure ? 443 : 80)), headers };
}

function authorizationOf(username: string, password: string): Record<string, string> | null {
  if (username === '' && password === '') return {};
  try {
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    return { 'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}` };
  } catch {
    return null;
  }
}

/** True for a server that is called directly because of one entry of `NO_PROXY`. */
type Exception = (host: string, port: number) => boolean;

const EXCEPTION = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/i;

/** Parses one entry of `NO_PROXY`. Null when it can be neither a name, an address, a network nor `*`. */
export function parseException(entry: string): Exception | null {
  if (entry === '*') return () => true;
  if (isNetwork(entry)) return networkException(entry, null);
  const [, ipv6, name, portText] = EXCEPTION.exec(entry) ?? [];
  const port = portText === undefined ? null : Number(portText);
  const network = ipv6 ?? name;
  if (network !== undefined && isNetwork(network)) return networkException(network, port);
  // What a browser would call an address and is none, such as 10.0.0.300, is no name either.
  const ascii = name === undefined ? '' : domainToASCII(name.replace(/^\*?\./, '').replace(/\.$/, ''));
  if (!/^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(ascii) || /(?:^|\.)\d+$/.test(ascii)) return null;
  return (host, at) => (port === null || port === at) && (host === ascii || host.endsWith(`.${ascii}`));
}

/** A name is not resolved to see whether its address is in the network, because only the proxy may be able to. */
function networkException(network: string, port: number | null): Exception {
  const networks = new Networks([network]);
  return (host, at) => (port === null || port === at) && networks.includes(host);
}

function isNetwork(text: string): boolean {
  const [address = '', prefix, ...more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128));
}

const defaultPort = (protocol: string): number => (protocol === 'https:' ? 443 : 80);

/** Returns the proxy through which this server calls the address. Null when it calls it directly. */
export function proxyFor(url: string, { https, http, exceptions }: ProxySettings): Proxy | null {
  const { protocol, port } = new URL(url);
  const address = protocol === 'https:' ? https : http;
  if (address === null) return null;
  const host = hostOf(url).replace(/\.$/, '').toLowerCase();
  const at = Number(port || defaultPort(protocol));
  return exceptions.some((entry) => parseException(entry)?.(host, at)) ? null : parseProxy(address);
}

/** A proxy did not make the connection. The message fits behind the name of the peer. */
class ProxyFailure extends Error {
  constructor(proxy: Proxy, what: string) {
    super(`the proxy ${nameOf(proxy)} ${what}`);
  }
}

/** Describes the answer of a proxy to CONNECT. */
export const describeProxyStatus = (status: number): string =>
  status === 407
    ? 'wants another user and password (407)'
    : `answered ${status}; it does not connect to this server and port`;

/**
 * Adds the proxy to a failure of a call to an http:// address, which the proxy may have caused or told: it answers in the
 * name of the server. An answer with a code of this software is the server's own.
 */
export function blameProxy(failure: PeerUnreachable, proxy: Proxy | null): PeerUnreachable {
  if (!proxy || failure.code !== null) return failure;
  const { peerName, reason, status, retryAfterSeconds } = failure;
  return new PeerUnreachable(peerName, throughProxy(reason, status, proxy), status, null, retryAfterSeconds);
}

/** Describes a failure of a call that went through a proxy. */
export const throughProxy = (reason: string, status: number | null, proxy: Pick<Proxy, 'host' | 'port'>): string =>
  status === 407
    ? `the proxy ${nameOf(proxy)} ${describeProxyStatus(status)}`
    : `${reason} (through the proxy ${nameOf(proxy)})`;

interface Dial {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
  /** Certificates that are trusted for an https:// proxy instead of those of the system, in PEM. */
  readonly ca?: string | undefined;
  readonly signal?: AbortSignal;
}

/** Connects to a host through a proxy (CONNECT). The proxy resolves the name. @throws ProxyFailure */
export function dialThrough(proxy: Proxy, { host, port, timeoutMs, ...how }: Dial): Promise<Socket> {
  const authority = nameOf({ host, port });
  return new Promise((resolve, reject) => {
    const request = openConnect(proxy, authority, how);
    const timer = setTimeout(() => request.destroy(new Error('timed out while connecting')), timeoutMs);
    request.once('connect', ({ statusCode = 0 }, socket, head) => {
      clearTimeout(timer);
      if (statusCode >= 200 && statusCode <= 299) {
        if (head.length > 0) socket.unshift(head);
        return resolve(socket);
      }
      socket.on('error', () => undefined).destroy();
      reject(new ProxyFailure(proxy, describeProxyStatus(statusCode)));
    });
    request.on('error', (error) => {
      clearTimeout(timer);
      reject(new ProxyFailure(proxy, `cannot be used: ${failureReason(error)}`));
    });
    request.end();
  });
}

function openConnect(
  { secure, host, port, headers }: Proxy,
  authority: string,
  { ca, signal }: Pick<Dial, 'ca' | 'signal'>,
): ClientRequest {
  const stop = signal === undefined ? {} : { signal };
  const target = { host, port, method: 'CONNECT', path: authority, headers: { host: authority, ...headers }, ...stop };
  // Without an agent, so that Node does not itself look for a proxy.
  if (!secure) return httpRequest({ ...target, agent: false });
  // Node would take the name in the Host header for that of the proxy.
  const servername = isIP(host) ? '' : host;
  return httpsRequest({ ...target, servername, ...(ca === undefined ? {} : { ca }), agent: false });
}
