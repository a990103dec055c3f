import type { IncomingMessage } from 'node:http';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { type ClientOptions, WebSocket, WebSocketServer } from 'ws';
import type { PeerContact } from '../../../ports/peer-directory.port.js';
import { PeerUnreachable } from '../../../ports/peer-transport.port.js';
import type { RequestSigner } from '../../../ports/request-signer.port.js';
import { TunnelTransport, type Tunnel } from '../../../ports/tunnel-transport.port.js';
import { describeStatus, codeOfBody, toPeerUnreachable } from './failure-reason.js';
import type { Trust } from './json-calls.js';
import { checkedLookup, findAddressFault, findProxiedHostFault, hostOf, strictAddressRules } from './peer-addresses.js';
import { dialThrough, NO_PROXIES, type Proxy, proxyFor } from './proxies.js';
import { HEARTBEAT, type HeartbeatTimes, MAX_FRAME_BYTES, WebSocketTunnel } from './web-socket-tunnel.js';

const HANDSHAKE_TIMEOUT_MS = 10_000;
const MAX_ERROR_BYTES = 16 * 1024;
/** A slow reader takes its time for what is on the way when a tunnel ends. The heartbeat ends tunnels to dead readers. */
const CLOSE_TIMEOUT_MS = 10 * 60_000;
const FRAME_OPTIONS = { perMessageDeflate: false, maxPayload: MAX_FRAME_BYTES, closeTimeout: CLOSE_TIMEOUT_MS };

/**
 * Clears the masking key. Masks protect proxies against scripts in browsers (RFC 6455, 10.3). Here both ends are
 * servers, and masking each byte twice would cost more than everything else. Every receiver accepts a key of zeros.
 */
const clearMask = (key: Buffer): void => void key.fill(0);

/** Options for the connection of a tunnel: a direct one, or one that a proxy has opened. */
type ConnectOptions = Pick<ClientOptions, 'createConnection'> & { readonly lookup?: LookupFunction };

export interface TunnelOptions extends Trust {
  readonly heartbeat?: HeartbeatTimes;
}

/** Tunnels over WebSockets, because the usual proxies let WebSockets through. */
export class WebSocketTunnels extends TunnelTransport {
  private readonly server = new WebSocketServer({ noServer: true, ...FRAME_OPTIONS });
  private readonly heartbeat: HeartbeatTimes;

  constructor(
    private readonly signer: RequestSigner,
    private readonly options: TunnelOptions = {},
  ) {
    super();
    this.heartbeat = options.heartbeat ?? HEARTBEAT;
  }

  async open(peer: PeerContact, signal: AbortSignal): Promise<Tunnel> {
    // A host that is an address is not looked up, so it is judged here.
    const { ca, addresses = strictAddressRules, proxies = NO_PROXIES } = this.options;
    const proxy = proxyFor(peer.url, proxies);
    const fault = (proxy ? findProxiedHostFault : findAddressFault)(hostOf(peer.url), addresses());
    if (fault) throw toPeerUnreachable(peer.name, fault);
    if (!proxy) return this.connect(peer, { lookup: checkedLookup(addresses) }, signal);
    const socket = await dialPeer(proxy, peer.url, ca, signal).catch((error: unknown) => {
      throw toPeerUnreachable(peer.name, error);
    });
    return this.connect(peer, { createConnection: () => socket }, signal);
  }

  private connect(peer: PeerContact, how: ConnectOptions, signal: AbortSignal): Promise<Tunnel> {
    const socket = this.openSocket(peer, how);
    return new Promise((resolve, reject) => {
      const abort = () => socket.terminate();
      const removeListener = () => signal.removeEventListener('abort', abort);
      signal.addEventListener('abort', abort, { once: true });
      socket.once('upgrade', ({ socket: tcp }) => {
        const tunnel = new WebSocketTunnel(socket, tcp, this.heartbeat);
        socket.once('open', () => {
          removeListener();
          resolve(tunnel);
        });
      });
      socket.once('unexpected-response', (_, response: IncomingMessage) => {
        void refusalOf(peer.name, response).then(reject).finally(abort);
      });
      socket.on('error', (error) => reject(toPeerUnreachable(peer.name, error)));
      socket.once('close', () => {
        removeListener();
        reject(new PeerUnreachable(peer.name, 'the connection was closed in the middle'));
      });
    });
  }

  accept(request: IncomingMessage, socket: Duplex, head: Buffer, onOpen: (tunnel: Tunnel) => void): void {
    this.server.handleUpgrade(request, socket, head, (opened) =>
      onOpen(new WebSocketTunnel(opened, request.socket, this.heartbeat)),
    );
  }

  private openSocket(peer: PeerContact, how: ConnectOptions): WebSocket {
    const url = `${peer.url}/peer/v1/tunnel`;
    const headers = this.signer.sign({ method: 'GET', url, to: peer.peerId });
    const { ca } = this.options;
    return new WebSocket(url.replace(/^http/, 'ws'), {
      ...FRAME_OPTIONS,
      headers,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      followRedirects: false,
      ...how,
      ...(ca === undefined ? {} : { ca }),
      generateMask: clearMask,
    });
  }
}

/** Connects to a server through a proxy. A tunnel to an http:// address needs CONNECT, too, because it is an upgrade. */
async function dialPeer(proxy: Proxy, url: string, ca: string | undefined, signal: AbortSignal): Promise<Socket> {
  const host = hostOf(url);
  const { protocol, port } = new URL(url);
  const secure = protocol === 'https:';
  const target = { host, port: Number(port || (secure ? 443 : 80)), timeoutMs: HANDSHAKE_TIMEOUT_MS, ca, signal };
  const socket = await dialThrough(proxy, target);
  if (!secure) return socket;
  return connectTls({ socket, host, ...(isIP(host) ? {} : { servername: host }), ...(ca === undefined ? {} : { ca }) });
}

async function refusalOf(peerName: string, response: IncomingMessage): Promise<PeerUnreachable> {
  let text = '';
  try {
    for await (const piece of response) {
      text += String(piece);
      if (text.length > MAX_ERROR_BYTES) break;
    }
  } catch {
    // The part of the body that has arrived is enough.
  }
  const status = response.statusCode ?? 0;
  const code = codeOfBody(text);
  return new PeerUnreachable(peerName, describeStatus(status, code, response.headers.date), status, code);
}
