import { Agent, buildConnector } from 'undici';
import { PeerUnreachable } from '../../../ports/peer-transport.port.js';
import { codeOfBody, describeStatus, toPeerUnreachable } from './failure-reason.js';
import { type AddressRules, checkedLookup, findAddressFault, strictAddressRules } from './peer-addresses.js';

/** The local port of a tunnel to a server that cannot be called at its address. Null when it can. */
export type Via = { readonly host: string; readonly port: number } | null;

/** Returns the target of a request for undici. Through a tunnel, the Host header still names the server itself. */
export function requestTarget(url: string, via: Via) {
  const { origin, host, pathname, search } = new URL(url);
  const path = pathname + search;
  return via ? { origin: `http://${via.host}:${via.port}`, path, host: { host } } : { origin, path, host: {} };
}

/** Which servers are called, and believed. */
export interface Trust {
  /** TLS certificates that are trusted instead of those of the system, in PEM. */
  readonly ca?: string;
  /** The rules for addresses at this moment; the strict ones when they are left out. */
  readonly addresses?: () => AddressRules;
}

/** Limits in time and size. Redirects are not followed. */
const AGENT_OPTIONS = { headersTimeout: 15_000, bodyTimeout: 15_000, maxHeaderSize: 16 * 1024, connections: 16 };
const CONNECT_TIMEOUT_MS = 5_000;

/** The connections for JSON calls and for feeds. */
export class PeerAgents {
  private readonly direct: Agent;
  /** To the local ports of tunnels, which this server itself has opened on a loopback address. */
  private readonly tunnelled = new Agent({ ...AGENT_OPTIONS, connect: { timeout: CONNECT_TIMEOUT_MS } });

  constructor(trust: Trust) {
    this.direct = new Agent({ ...AGENT_OPTIONS, connect: checkedConnector(trust) });
  }

  for(via: Via): Agent {
    return via ? this.tunnelled : this.direct;
  }

  async destroy(): Promise<void> {
    await Promise.all([this.direct.destroy(), this.tunnelled.destroy()]);
  }
}

/** Connects to allowed addresses only. A host that is an address is not looked up, so it is judged before. */
function checkedConnector({ ca, addresses = strictAddressRules }: Trust): buildConnector.connector {
  const lookup = checkedLookup(addresses);
  const connect = buildConnector({ timeout: CONNECT_TIMEOUT_MS, lookup, ...(ca === undefined ? {} : { ca }) });
  return (options, done) => {
    const fault = findAddressFault(options.hostname, addresses());
    if (fault) done(fault, null);
    else connect(options, done);
  };
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
    const { origin, path, host } = requestTarget(call.url, call.via);
    const response = await agents.for(call.via).request({
      origin,
      path,
      method: call.method,
      headers: { accept: 'application/json', ...call.headers, ...host },
      body: call.body ?? null,
    });
    const { body, headers } = response;
    const text = await readText(peerName, body, Number(headers['content-length'] ?? 0), call.maxBytes);
    return parseAnswer(peerName, response.statusCode, String(headers['content-type'] ?? ''), text);
  } catch (error) {
    throw toPeerUnreachable(peerName, error);
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

function parseAnswer(peerName: string, status: number, contentType: string, text: string): unknown {
  if (status < 200 || status > 299) {
    const code = codeOfBody(text);
    throw new PeerUnreachable(peerName, describeStatus(status, code), status, code);
  }
  // What kind of answer another server gives to this one is no business of those who read the message.
  if (!/^application\/(?:[\w.-]+\+)?json\b/i.test(contentType))
    throw new PeerUnreachable(peerName, `answered ${status} without JSON; is this the right address?`, status);
  try {
    return JSON.parse(text);
  } catch {
    throw new PeerUnreachable(peerName, `answered ${status} with broken JSON`, status);
  }
}
