import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HEARTBEAT, startHeartbeat } from './web-socket-tunnel.js';

/** As much of a WebSocket and its socket as a heartbeat sees. */
class Connection extends EventEmitter {
  isPaused = false;
  bytesRead = 0;
  pings = 0;
  cut = false;

  ping(): void {
    this.pings += 1;
  }

  terminate(): void {
    this.cut = true;
    this.emit('close');
  }
}

describe('a heartbeat', () => {
  let connection: Connection;
  beforeEach(() => {
    vi.useFakeTimers();
    connection = new Connection();
    startHeartbeat(connection as unknown as WebSocket, connection as unknown as Socket, HEARTBEAT);
  });
  afterEach(() => vi.useRealTimers());

  it('cuts a connection on which nothing arrives for 30 s', () => {
    vi.advanceTimersByTime(30_000);
    expect(connection).toMatchObject({ cut: false, pings: 3 });
    vi.advanceTimersByTime(10_000);
    expect(connection.cut).toBe(true);
  });

  it('takes any byte for a sign of life', () => {
    for (let i = 0; i < 20; i++) {
      connection.bytesRead += 2;
      vi.advanceTimersByTime(20_000);
    }
    expect(connection.cut).toBe(false);
  });

  it('does not blame the other side while this one does not read', () => {
    connection.isPaused = true;
    vi.advanceTimersByTime(600_000);
    connection.isPaused = false;
    vi.advanceTimersByTime(20_000);
    expect(connection.cut).toBe(false);
    vi.advanceTimersByTime(20_000);
    expect(connection.cut).toBe(true);
  });
});
