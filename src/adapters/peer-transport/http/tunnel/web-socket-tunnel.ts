import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Tunnel, TunnelEnd } from '../../../../ports/tunnel-transport.port.js';
import { startHeartbeat, type HeartbeatTimes } from './heartbeat.js';
import { TunnelStream } from './tunnel-stream.js';

/** Close codes (RFC 6455, 7.4): those from 4000 on are ours to give a meaning. */
const CLOSE_CODES: Readonly<Record<TunnelEnd, number>> = { stopping: 1001, reachable: 4000, unwelcome: 4403 };
const END_BY_CODE = new Map(Object.entries(CLOSE_CODES).map(([end, code]) => [code, end as TunnelEnd]));

const CLOSE_TIMEOUT_MS = 500;

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
    this.ended = new Promise((resolve) =>
      socket.once('close', (code: number) => resolve(END_BY_CODE.get(code) ?? null)),
    );
    this.taken = new Promise((resolve) => socket.once('message', () => resolve()));
    startHeartbeat(socket, tcp, heartbeat);
  }

  end(reason: TunnelEnd): void {
    this.socket.close(CLOSE_CODES[reason]);
    // Nobody waits long for what is still in the tunnel before that.
    setTimeout(() => this.stream.destroy(), CLOSE_TIMEOUT_MS).unref();
  }
}
