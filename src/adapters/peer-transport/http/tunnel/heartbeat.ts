import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';

export interface HeartbeatTimes {
  readonly pingMs: number;
  /** So long without a byte and the connection is dead. */
  readonly deadMs: number;
}

export const HEARTBEAT: HeartbeatTimes = { pingMs: 10_000, deadMs: 30_000 };

/**
 * Pings, and cuts a connection on which nothing arrives any more. Both ends ping, so each hears the other even while
 * its own bytes wait for a slow reader; an end that itself does not read, for whoever it reads for is slow, does not
 * blame the other.
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
