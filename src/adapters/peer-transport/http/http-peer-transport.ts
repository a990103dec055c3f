import { CHUNK_SIZE } from '../../../kernel/chunk-ranges.js';
import { StorageFull } from '../../../ports/package-storage.port.js';
import type { PeerContact } from '../../../ports/peer-directory.port.js';
import {
  type ChunkRequest,
  type ChunkResult,
  type FeedMessage,
  PeerTransport,
  PeerUnreachable,
} from '../../../ports/peer-transport.port.js';
import type { RequestSigner, UnsignedRequest } from '../../../ports/request-signer.port.js';
import type { PeerTunnels } from '../../../ports/tunnel-transport.port.js';
import type { FetchReport, Origin, Timeouts } from './chunk-messages.js';
import { ChunkThreads } from './chunk-threads.js';
import { followFeed } from './feed-stream.js';
import { callJson, PeerAgents, type Trust, type Via } from './json-calls.js';
import { toPeerUnreachable } from './failure-reason.js';
import { AddressRefused, findProxiedHostFault, hostOf, strictAddressRules } from './peer-addresses.js';
import { NO_PROXIES, proxyFor } from './proxies.js';

interface ContentRequest {
  readonly origin: Origin;
  /** The same request twice, each with its own signature. */
  readonly heads: readonly [string, string];
}

/** Builds the heads of a request for the bytes of one range of chunks. */
function buildContentRequest(
  signer: RequestSigner,
  peer: PeerContact,
  request: ChunkRequest,
  trust: Trust,
  via: Via,
): ContentRequest {
  const url = new URL(`${peer.url}/peer/v1/packages/${encodeURIComponent(request.file.packageId)}/content`);
  const origin = originFor(url, trust, via);
  const buildHead = () => {
    const signed = signer.sign({ method: 'GET', url: url.href, to: peer.peerId });
    const headers = { range: rangeOf(request), 'accept-encoding': 'identity', ...signed, ...origin.proxy?.headers };
    return headOf(url, origin.proxy ? url.href : url.pathname + url.search, headers);
  };
  return { origin, heads: [buildHead(), buildHead()] };
}

function originFor(url: URL, { ca, addresses = strictAddressRules, proxies = NO_PROXIES }: Trust, via: Via): Origin {
  const nothing = { ca, rules: null, through: null, proxy: null };
  if (via) return { ...nothing, secure: false, ...via };
  const secure = url.protocol === 'https:';
  const proxy = proxyFor(url.href, proxies);
  const target = { secure, host: hostOf(url.href), port: Number(url.port || (secure ? 443 : 80)) };
  if (!proxy || secure) return { ...nothing, ...target, rules: addresses(), through: proxy };
  // The connection is made to the proxy, so the address of the server is judged here.
  const fault = findProxiedHostFault(target.host, addresses());
  if (fault) throw fault;
  return { ...nothing, secure: proxy.secure, host: proxy.host, port: proxy.port, proxy };
}

function rangeOf({ range, file }: ChunkRequest): string {
  const first = range.first * CHUNK_SIZE;
  return `bytes=${first}-${Math.min(first + range.count * CHUNK_SIZE, file.size) - 1}`;
}

function headOf(url: URL, target: string, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${target} HTTP/1.1\r\nhost: ${url.host}\r\n${lines.join('')}\r\n`;
}

/** Options of the transport, with limits that tests shorten. */
export interface TransportOptions extends Trust {
  readonly timeouts?: Partial<Timeouts>;
  /** The time for which a feed may be silent before it counts as dead. */
  readonly feedIdleTimeoutMs?: number;
}

interface Addressed {
  readonly name: string;
  readonly url: string;
}
const BEHIND_FIREWALL = 'it is not reachable and has no tunnel open to this server. It opens one when it runs again';

/** For a server that accepts no tunnels. */
const ALL_DIRECT: Pick<PeerTunnels, 'routeTo'> = { routeTo: () => Promise.resolve({ kind: 'direct' }) };

const TIMEOUTS: Timeouts = { connectMs: 5_000, idleMs: 15_000, rangeMs: 10 * 60_000 };

/** Calls to peers over HTTP/1.1: JSON and the feed through undici, package bytes through plain sockets in threads. */
export class HttpPeerTransport extends PeerTransport {
  private readonly agents: PeerAgents;
  private readonly threads = new ChunkThreads();
  private readonly timeouts: Timeouts;

  constructor(
    private readonly signer: RequestSigner,
    private readonly options: TransportOptions = {},
    private readonly tunnels: Pick<PeerTunnels, 'routeTo'> = ALL_DIRECT,
  ) {
    super();
    this.agents = new PeerAgents(options);
    this.timeouts = { ...TIMEOUTS, ...options.timeouts };
  }

  post(
    server: Addressed,
    path: string,
    body: object,
    maxBytes: number,
    how: Pick<UnsignedRequest, 'to' | 'key'> = { to: null },
  ): Promise<unknown> {
    return this.postJson(server, null, path, body, maxBytes, how);
  }

  async postTo(peer: PeerContact, path: string, body: object, maxBytes: number, key?: string): Promise<unknown> {
    return this.postJson(peer, await this.routeTo(peer), path, body, maxBytes, {
      to: peer.peerId,
      ...(key !== undefined && { key }),
    });
  }

  async get(peer: PeerContact, path: string, maxBytes: number): Promise<unknown> {
    const url = peer.url + path;
    const via = await this.routeTo(peer);
    const headers = this.signer.sign({ method: 'GET', url, to: peer.peerId });
    return callJson(this.agents, peer.name, { method: 'GET', url, via, headers, maxBytes });
  }

  async *followFeed(peer: PeerContact, lastEventId: string | null, signal: AbortSignal): AsyncGenerator<FeedMessage> {
    const url = `${peer.url}/peer/v1/feed`;
    const via = await this.routeTo(peer);
    const headers = this.signer.sign({ method: 'GET', url, to: peer.peerId });
    const { feedIdleTimeoutMs } = this.options;
    const timeout = feedIdleTimeoutMs === undefined ? {} : { idleTimeoutMs: feedIdleTimeoutMs };
    yield* followFeed(this.agents, peer.name, { url, via, headers, lastEventId, signal, ...timeout });
  }

  async fetchChunks(peer: PeerContact, request: ChunkRequest): Promise<ChunkResult> {
    request.signal.throwIfAborted();
    const via = await this.routeTo(peer).catch(peerFault);
    if (via instanceof PeerUnreachable) return { verified: [], rejected: [], error: via };
    const content = this.buildContentRequest(peer, request, via);
    if (content instanceof PeerUnreachable) return { verified: [], rejected: [], error: content };
    const { origin, heads } = content;
    const { file, range, sha256 } = request;
    const { bytesPerSecond } = peer.policy.receive;
    const limit = bytesPerSecond === null ? null : { key: peer.peerId, bytesPerSecond };
    const order = { origin, heads, range, sha256, timeouts: this.timeouts, limit };
    const { signal, onProgress = () => undefined } = request;
    const report = await this.threads.fetchRange(order, file, signal, onProgress);
    return { verified: report.verified, rejected: report.rejected, error: faultOf(peer, report) };
  }

  private buildContentRequest(peer: PeerContact, request: ChunkRequest, via: Via): ContentRequest | PeerUnreachable {
    try {
      return buildContentRequest(this.signer, peer, request, this.options, via);
    } catch (error) {
      if (error instanceof AddressRefused) return toPeerUnreachable(peer.name, error);
      throw error;
    }
  }

  private postJson(
    server: Addressed,
    via: Via,
    path: string,
    body: object,
    maxBytes: number,
    how: Pick<UnsignedRequest, 'to' | 'key'>,
  ): Promise<unknown> {
    const url = server.url + path;
    const bytes = Buffer.from(JSON.stringify(body));
    const signed = this.signer.sign({ method: 'POST', url, body: bytes, ...how });
    const headers = { 'content-type': 'application/json', ...signed };
    return callJson(this.agents, server.name, { method: 'POST', url, via, headers, body: bytes, maxBytes });
  }

  /** @throws PeerUnreachable when the peer can be called neither directly nor through a tunnel */
  private async routeTo(peer: PeerContact): Promise<Via> {
    const route = await this.tunnels.routeTo(peer.peerId);
    if (route.kind === 'none') throw new PeerUnreachable(peer.name, BEHIND_FIREWALL);
    return route.kind === 'tunnel' ? { host: route.host, port: route.port } : null;
  }

  /** Ends connections and threads. Nest calls it when the server stops. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.agents.destroy(), this.threads.close()]);
  }
}

function peerFault(error: unknown): PeerUnreachable {
  if (error instanceof PeerUnreachable) return error;
  throw error;
}

/** Returns the failure as an error of the peer. @throws StorageFull or Error when this server has the problem */
function faultOf(peer: PeerContact, { failure }: FetchReport): PeerUnreachable | null {
  if (failure === null) return null;
  if (failure.kind === 'peer') {
    return new PeerUnreachable(peer.name, failure.reason, failure.status, failure.code, failure.retryAfterSeconds);
  }
  throw failure.kind === 'full' ? new StorageFull(null) : new Error(failure.message);
}
