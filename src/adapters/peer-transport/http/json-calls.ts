import type { IncomingHttpHeaders } from 'node:http';
import { Agent, buildConnector } from 'undici';
import { PeerUnreachable } from '../../../ports/peer-transport.port.js';
import { ANSWERS_HTTPS, codeOfBody, describeStatus, mayBeHttps, toPeerUnreachable } from './failure-reason.js';
import {
  type AddressRules,
  checkedLookup,
  findAddressFault,
  findProxiedHostFault,
  hostOf,
  strictAddressRules,
} from './peer-addresses.js';
import { blameProxy, dialThrough, nameOf, NO_PROXIES, type Proxy, proxyFor, type ProxySettings } from './proxies.js';

/** The local port of a tunnel to a server that cannot be called at its address. Null when it can. */
export type Via = { readonly host: string; readonly port: number } | null;

/** Which servers are called, and believed. */
export interface Trust {
  /** TLS certificates that are trusted instead of those of the system, in PEM. */
  readonly ca?: string;
  /** The rules for addresses at this moment; the strict ones when they are left out. */
  readonly addresses?: () => AddressRules;
  /** The proxies for outgoing calls; none when they are left out. */
  readonly proxies?: ProxySettings;
}

/** Where a request goes, for undici. */
export interface RequestTarget {
  readonly agent: Agent;
  readonly origin: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Limits in time and size. Redirects are not followed. */
const AGENT_OPTIONS = { headersTimeout: 15_000, bodyTimeout: 15_000, maxHeaderSize: 16 * 1024, connections: 16 };
const CONNECT_TIMEOUT_MS = 5_000;

/** The connections for JSON calls and for feeds. */
export class PeerAgents {
  private readonly checked: Agent;
  /** To the local ports of tunnels, which this server itself has opened on a loopback address, and to the proxies that are set. */
  private readonly unchecked: Agent;

  constructor(private readonly trust: Trust) {
    this.checked = new Agent({ ...AGENT_OPTIONS, connect: checkedConnector(trust) });
    this.unchecked = new Agent({ ...AGENT_OPTIONS, connect: uncheckedConnector(trust) });
  }

  /** Through a tunnel or a proxy, the Host header still names the server itself. @throws AddressRefused */
  targetOf(url: string, via: Via): RequestTarget {
    const { origin, host, pathname, search } = new URL(url);
    const path = pathname + search;
    if (via) {
      return { agent: this.unchecked, origin: `http://${via.host}:${via.port}`, path, headers: { host } };
    }
    const { proxies = NO_PROXIES, addresses = strictAddressRules } = this.trust;
    const proxy = proxyFor(url, proxies);
    if (!proxy || origin.startsWith('https:')) return { agent: this.checked, origin, path, headers: {} };
    const fault = findProxiedHostFault(hostOf(url), addresses());
    if (fault) throw fault;
    const headers = { host, ...proxy.headers };
    return { agent: this.unchecked, origin: originOf(proxy), path: `${origin}${path}`, headers };
  }

  /**
   * Explains a failed call better if it can: a server that answers only HTTPS ends a call by http:// without a word, so
   * whether it does is tried out.
   */
  async explain(failure: PeerUnreachable, url: string, via: Via): Promise<PeerUnreachable> {
    const { proxies = NO_PROXIES } = this.trust;
    if (via || !url.startsWith('http:')) return failure;
    const proxy = proxyFor(url, proxies);
    if (proxy || !mayBeHttps(failure)) return blameProxy(failure, proxy);
    const answersHttps = await this.answersHttps(new URL(url));
    return answersHttps ? new PeerUnreachable(failure.peerName, ANSWERS_HTTPS, failure.status) : failure;
  }

  /** Nothing is sent on the connection, so the certificate does not matter. */
  private answersHttps({ hostname, host, port }: URL): Promise<boolean> {
    const lookup = checkedLookup(this.trust.addresses ?? strictAddressRules);
    const connect = buildConnector({ timeout: CONNECT_TIMEOUT_MS, lookup, rejectUnauthorized: false });
    return new Promise((resolve) => {
      const options = { protocol: 'https:', hostname: hostname.replace(/^\[|\]$/g, ''), host, port: port || '80' };
      connect(options, (error, socket) => {
        socket?.destroy();
        resolve(error === null);
      });
    });
  }

  async destroy(): Promise<void> {
    await Promise.all([this.checked.destroy(), this.unchecked.destroy()]);
  }
}

const originOf = (proxy: Proxy): string => `${proxy.secure ? 'https' : 'http'}://${nameOf(proxy)}`;

/** The certificate of a proxy is for its own name, and not for the one in the Host header. */
function uncheckedConnector({ ca }: Trust): buildConnector.connector {
  const connect = buildConnector({ timeout: CONNECT_TIMEOUT_MS, ...(ca === undefined ? {} : { ca }) });
  return (options, done) => {
    const own = { ...options };
    delete own.servername;
    connect(own, done);
  };
}

/**
 * Connects to allowed addresses only. A host that is an address is not looked up, so it is judged before. Through a proxy,
 * no name is looked up here.
 */
function checkedConnector({
  ca,
  addresses = strictAddressRules,
  proxies = NO_PROXIES,
}: Trust): buildConnector.connector {
  const trust = ca === undefined ? {} : { ca };
  const connect = buildConnector({ timeout: CONNECT_TIMEOUT_MS, lookup: checkedLookup(addresses), ...trust });
  return (options, done) => {
    const proxy = proxyFor(`${options.protocol}//${options.host}`, proxies);
    const judge = proxy ? findProxiedHostFault : findAddressFault;
    const fault = judge(options.hostname.replace(/^\[|\]$/g, ''), addresses());
    if (fault) return done(fault, null);
    if (!proxy) return void connect(options, done);
    void connectThrough(proxy, ca, options, connect, done);
  };
}

async function connectThrough(
  proxy: Proxy,
  ca: string | undefined,
  options: buildConnector.Options,
  connect: buildConnector.connector,
  done: buildConnector.Callback,
): Promise<void> {
  let httpSocket;
  try {
    const target = { host: options.hostname, port: Number(options.port || 443), timeoutMs: CONNECT_TIMEOUT_MS, ca };
    httpSocket = await dialThrough(proxy, target);
  } catch (error) {
    return done(error instanceof Error ? error : new Error(String(error)), null);
  }
  connect({ ...options, httpSocket }, done);
}

interface JsonCall {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly via: Via;
  /** A longer answer ends the connection. */
  readonly maxBytes: number;
}

/** Makes one call and returns its parsed answer. @throws PeerUnreachable unless it is a 2xx with a JSON body */
export async function callJson(agents: PeerAgents, peerName: string, call: JsonCall): Promise<unknown> {
  try {
    const { agent, ...target } = agents.targetOf(call.url, call.via);
    const response = await agent.request({
      origin: target.origin,
      path: target.path,
      method: call.method,
      headers: { accept: 'application/json', ...call.headers, ...target.headers },
      body: call.body ?? null,
    });
    const { body, headers } = response;
    const text = await readText(peerName, body, Number(headers['content-length'] ?? 0), call.maxBytes);
    return parseAnswer(peerName, response.statusCode, headers, text);
  } catch (error) {
    throw await agents.explain(toPeerUnreachable(peerName, error), call.url, call.via);
  }
}

/** The end of the loop destroys the body, and with it the connection. */
async function readText(
  peerName: string,
  body: AsyncIterable<Buffer>,
  announced: number,
  maxBytes: number,
): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of body) {
    size += part.length;
    if (Math.max(size, announced) > maxBytes)
      throw new PeerUnreachable(peerName, 'answered with more than was expected');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function parseAnswer(
  peerName: string,
  status: number,
  { 'content-type': type, date }: IncomingHttpHeaders,
  text: string,
): unknown {
  if (status < 200 || status > 299) {
    const code = codeOfBody(text);
    throw new PeerUnreachable(peerName, describeStatus(status, code, date), status, code);
  }
  const contentType = String(type ?? '');
  // What kind of answer another server gives to this one is no business of those who read the message.
  if (!/^application\/(?:[\w.-]+\+)?json\b/i.test(contentType))
    throw new PeerUnreachable(peerName, `answered ${status} without JSON; is this the right address?`, status);
  try {
    return JSON.parse(text);
  } catch {
    throw new PeerUnreachable(peerName, `answered ${status} with broken JSON`, status);
  }
}
