import { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

/** Larger writes are cut: whoever receives a frame holds all of it in memory. */
const FRAME_BYTES = 64 * 1024;
/** Largest frame that is taken. */
export const MAX_FRAME_BYTES = 1024 * 1024;
const NORMAL_CLOSURE = 1000;
const GOING_AWAY = 1001;

/**
 * The bytes that go over a WebSocket (RFC 6455), as a stream with back-pressure both ways. What `createWebSocketStream`
 * of `ws` lacks: frames of bounded size (an answer of 64 MiB in one write would be one frame), the other end's address,
 * and a broken connection is an error and not an end.
 */
export class TunnelStream extends Duplex {
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
    this.send(bytes, 0, done);
  }

  override _final(done: () => void): void {
    this.socket.close(NORMAL_CLOSURE);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.socket.terminate();
    done(error);
  }

  /** `done` when the kernel has the bytes: the writer may use its buffer again. */
  private send(bytes: Buffer, from: number, done: (error?: Error | null) => void): void {
    const to = Math.min(from + FRAME_BYTES, bytes.length);
    this.socket.send(bytes.subarray(from, to), { binary: true }, (error) => {
      if (error || to === bytes.length) done(error);
      else this.send(bytes, to, done);
    });
  }
}
