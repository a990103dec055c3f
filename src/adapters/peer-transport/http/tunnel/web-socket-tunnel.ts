import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Tunnel, TunnelEnd } from '../../../../ports/tunnel-transport.port.js';
import { keepAlive, type HeartbeatTimes } from './heartbeat.js';
import { TunnelStream } from './tunnel-stream.js';

/** Close codes (RFC 6455, 7.4): those from 4000 on are ours to give a meaning. */
const CODES: Readonly<Record<TunnelEnd, number>> = { stopping: 1001, reachable: 4000, unwelcome: 4403 };
const ENDS = new Map(Object.entries(CODES).map(([end, code]) => [code, end as TunnelEnd]));

const FAREWELL_MS = 500;

/** A tunnel over an open WebSocket. */
export class WebSocketTunnel implements Tunnel {
  readonly stream: TunnelStream;
  readonly ended: Promise<TunnelEnd | null>;
  readonly taken: Promise<void>;

  constructor(
    private readonly socket: WebSocket,
    tcp: Socket,
    heartbeat: HeartbeatTimes,
  ) {
    this.stream = new TunnelStream(socket, tcp.remoteAddress);
    // Whoever uses the stream hears of it, and nobody uses an idle one.
    this.stream.on('error', () => undefined);
    this.ended = new Promise((resolve) => socket.once('close', (code: number) => resolve(ENDS.get(code) ?? null)));
    this.taken = new Promise((resolve) => socket.once('message', () => resolve()));
    keepAlive(socket, tcp, heartbeat);
  }

  end(reason: TunnelEnd): void {
    this.socket.close(CODES[reason]);
    // Nobody waits long for what is still in the tunnel before that.
    setTimeout(() => this.stream.destroy(), FAREWELL_MS).unref();
  }
}
