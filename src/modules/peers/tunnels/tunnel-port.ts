import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { answerUpgrade } from '../../../platform/http/errors/socket-errors.js';
import { TUNNEL_WAIT_MS } from './tunnel-hub.js';

/**
 * Connects two streams with each other, with back-pressure in both directions. When one ends, the other one ends after
 * the bytes that it still holds; when one fails, the other one is destroyed. Two `pipeline`s would not do: each destroys
 * the other's streams when one of them closes, also those that have not sent everything yet.
 */
export function joinStreams(a: Duplex, b: Duplex): void {
  passOn(a, b);
  passOn(b, a);
}

function passOn(from: Duplex, to: Duplex): void {
  from.once('close', () => {
    // What the other end still says is of no use to anybody, but its end is only seen when it is read.
    if (from.readableEnded && !from.errored) to.resume();
    else to.destroy();
  });
  from.on('error', () => undefined).pipe(to);
}

/** Resolves with a free tunnel of the peer. */
type TakeTunnel = (signal: AbortSignal) => Promise<Duplex>;

const BUSY = {
  status: 503,
  code: 'UNAVAILABLE',
  message: 'The peer has no free connection open to this server. Try again.',
};

/**
 * A local port that stands for one peer: each connection to it is passed on through a tunnel of its own. Code that can
 * call a server can therefore also call this peer, even from another thread. The calls carry signatures for the peer.
 */
export class TunnelPort {
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly take: TakeTunnel,
  ) {
    server.on('connection', (socket) => void this.connectTunnel(socket));
  }

  /** Opens the port on the loopback address. */
  static async open(take: TakeTunnel): Promise<TunnelPort> {
    // An end that the caller sends must not close the connection before the rest of the answer has arrived.
    const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TunnelPort(server, take);
  }

  readonly host = '127.0.0.1';

  get port(): number {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('The local port of a peer is closed');
    return address.port;
  }

  /** Closes the port and all its connections. */
  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private async connectTunnel(socket: Socket): Promise<void> {
    this.sockets.add(socket);
    const gone = new AbortController();
    socket.on('error', () => undefined).setNoDelay(true);
    socket.once('close', () => {
      this.sockets.delete(socket);
      gone.abort();
    });
    try {
      // A connection that sends nothing must not take a tunnel away from others.
      await once(socket, 'readable', { signal: gone.signal });
      joinStreams(socket, await this.take(AbortSignal.any([gone.signal, AbortSignal.timeout(TUNNEL_WAIT_MS)])));
    } catch {
      answerUpgrade(socket, BUSY);
    }
  }
}
