import { StorageFull } from '../../../ports/package-storage.port.js';
import type { PeerContact } from '../../../ports/peer-directory.port.js';
import {
  PeerTransport,
  PeerUnreachable,
  type ChunkRequest,
  type ChunkResult,
  type FeedMessage,
} from '../../../ports/peer-transport.port.js';
import type { RequestSigner } from '../../../ports/request-signer.port.js';
import { ChunkThreads } from './chunks/chunk-threads.js';
import type { FetchReport, Timeouts } from './chunks/messages.js';
import { contentRequest } from './content-request.js';
import { followFeed } from './feed-stream.js';
import { callJson, newAgent, type Trust } from './json-calls.js';

export interface TransportOptions extends Trust {
  readonly timeouts?: Partial<Timeouts>;
  /** How long a feed may be silent before it counts as dead. */
  readonly silenceMs?: number;
}

const TIMEOUTS: Timeouts = { connectMs: 5_000, idleMs: 15_000, runMs: 10 * 60_000 };

/** Calls to peers over HTTP/1.1: JSON and the feed by undici, package bytes by sockets of our own in threads. */
export class HttpPeerTransport extends PeerTransport {
  private readonly agent;
  private readonly threads = new ChunkThreads();
  private readonly timeouts: Timeouts;

  constructor(
    private readonly signer: RequestSigner,
    private readonly options: TransportOptions = {},
  ) {
    super();
    this.agent = newAgent(options);
    this.timeouts = { ...TIMEOUTS, ...options.timeouts };
  }

  post(server: { name: string; url: string }, path: string, body: object): Promise<unknown> {
    const url = server.url + path;
    const bytes = Buffer.from(JSON.stringify(body));
    const signed = this.signer.sign({ method: 'POST', url, body: bytes, to: null });
    const headers = { 'content-type': 'application/json', ...signed };
    return callJson(this.agent, server.name, { method: 'POST', url, headers, body: bytes });
  }

  get(peer: PeerContact, path: string): Promise<unknown> {
    const url = peer.url + path;
    const headers = this.signer.sign({ method: 'GET', url, to: peer.peerId });
    return callJson(this.agent, peer.name, { method: 'GET', url, headers });
  }

  follow(peer: PeerContact, lastEventId: string | null, signal: AbortSignal): AsyncIterable<FeedMessage> {
    const url = `${peer.url}/peer/v1/feed`;
    const headers = this.signer.sign({ method: 'GET', url, to: peer.peerId });
    const silence = this.options.silenceMs === undefined ? {} : { silenceMs: this.options.silenceMs };
    return followFeed(this.agent, peer.name, { url, headers, lastEventId, signal, ...silence });
  }

  async fetchChunks(peer: PeerContact, request: ChunkRequest): Promise<ChunkResult> {
    request.signal.throwIfAborted();
    const { origin, heads } = contentRequest(this.signer, peer, request, this.options);
    const { packageSize, run, sha256, path } = request;
    const order = { origin, heads, packageSize, run, sha256, path, timeouts: this.timeouts };
    const report = await this.threads.fetch(order, request.signal, request.onProgress);
    return { verified: report.verified, rejected: report.rejected, error: faultOf(peer, report) };
  }

  /** Ends connections and threads. Nest calls it when the server stops. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.agent.destroy(), this.threads.close()]);
  }
}

/** The peer's fault; what is ours is thrown. */
function faultOf(peer: PeerContact, { failure }: FetchReport): PeerUnreachable | null {
  if (failure === null) return null;
  if (failure.kind === 'peer') return new PeerUnreachable(peer.name, failure.reason, failure.status, failure.code);
  throw failure.kind === 'full' ? new StorageFull(null) : new Error(failure.message);
}
