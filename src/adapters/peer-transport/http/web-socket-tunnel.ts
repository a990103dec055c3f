import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Tunnel, TunnelEnd } from '../../../ports/tunnel-transport.port.js';

export interface HeartbeatTimes {
  readonly pingMs: number;
  /** A connection without a byte for this time is dead. */
  readonly deadMs: number;
}

export const HEARTBEAT: HeartbeatTimes = { pingMs: 10_000, deadMs: 30_000 };

/**
 * Sends pings, and ends a connection on which nothing arrives any more. Both ends send pings, so that each hears the
 * other even while its own bytes wait for a slow reader. While an end pauses reading because its own reader is slow, it
 * does not count the silence.
 */
export function startHeartbeat(ws: WebSocket, socket: Socket, { pingMs, deadMs }: HeartbeatTimes): void {
  let seen = -1;
  let heardAt = Date.now();
  const timer = setInterval(() => {
    if (socket.bytesRead !== seen || ws.isPaused) heardAt = Date.now();
    seen = socket.bytesRead;
    if (Date.now() - heardAt >= deadMs) ws.terminate();
    else ws.ping(undefined, undefined, () => undefined);
  }, pingMs).unref();
  ws.once('close', () => clearInterval(timer));
}

/** Larger writes are split into frames of this size, because a receiver holds a whole frame in memory. */
const FRAME_BYTES = 64 * 1024;
/** Upper limit for a frame that is accepted. */
export const MAX_FRAME_BYTES = 1024 * 1024;
const NORMAL_CLOSURE = 1000;
const GOING_AWAY = 1001;

/**
 * The bytes of a WebSocket (RFC 6455) as a stream with back-pressure in both directions. Unlike `createWebSocketStream`
 * of `ws`, it limits the size of frames (an answer of 64 MiB in one write would be one frame), it knows the address of
 * the other end, and a broken connection is an error instead of an end.
 */
class TunnelStream extends Duplex {
  constructor(
    private readonly socket: WebSocket,
    readonly remoteAddress: string | undefined,
  ) {
    super({ allowHalfOpen: false, readableHighWaterMark: FRAME_BYTES, writableHighWaterMark: FRAME_BYTES });
    socket.on('message', (data: Buffer) => {
      if (!this.destroyed && !this.push(data)) socket.pause();
    });
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', (code) => {
      if (code === NORMAL_CLOSURE || code === GOING_AWAY) this.push(null);
      else this.destroy(new Error('The tunnel broke'));
    });
  }

  override _read(): void {
    if (this.socket.isPaused) this.socket.resume();
  }

  override _write(bytes: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.sendFrames(bytes, 0, done);
  }

  /** The stream has ended when the other end has read everything: who destroys it earlier takes bytes off the way. */
  override _final(done: () => void): void {
    if (this.socket.readyState === this.socket.CLOSED) return done();
    this.socket.once('close', () => done());
    this.socket.close(NORMAL_CLOSURE);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.socket.terminate();
    done(error);
  }

  /** Calls `done` when the operating system has the bytes and the writer may use its buffer again. */
  private sendFrames(bytes: Buffer, from: number, done: (error?: Error | null) => void): void {
    const to = Math.min(from + FRAME_BYTES, bytes.length);
    this.socket.send(bytes.subarray(from, to), { binary: true }, (error) => {
      if (error || to === bytes.length) done(error);
      else this.sendFrames(bytes, to, done);
    });
  }
}

/** Close codes (RFC 6455, 7.4). Those from 4000 on are free for applications. */
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
    // A user of the stream has its own listener; an idle stream has no user.
    this.stream.on('error', () => undefined);
    this.ended = new Promise((resolve) =>
      socket.once('close', (code: number) => resolve(END_BY_CODE.get(code) ?? null)),
    );
    this.taken = new Promise((resolve) => socket.once('message', () => resolve()));
    startHeartbeat(socket, tcp, heartbeat);
  }

  end(reason: TunnelEnd): void {
    this.socket.close(CLOSE_CODES[reason]);
    // Bytes that are still in the tunnel delay the end only for this time.
    setTimeout(() => this.stream.destroy(), CLOSE_TIMEOUT_MS).unref();
  }
}
