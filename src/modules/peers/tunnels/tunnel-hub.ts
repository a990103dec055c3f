import { EventEmitter } from 'node:events';
import { Injectable } from '@nestjs/common';
import type { Tunnel, TunnelEnd } from '../../../ports/tunnel-transport.port.js';

interface PeerLines {
  readonly open: Set<Tunnel>;
  readonly idle: Tunnel[];
  readonly waiting: ((tunnel: Tunnel) => void)[];
}

/** The tunnels that end in this process, by peer. A tunnel is given out once: what was a connection is used up. */
@Injectable()
export class TunnelHub {
  private readonly peers = new Map<string, PeerLines>();
  private readonly emitter = new EventEmitter().setMaxListeners(0);

  /** Takes a tunnel in, or hands it to who has waited longest. */
  addTunnel(peerId: string, tunnel: Tunnel): void {
    const lines = this.linesOf(peerId);
    lines.open.add(tunnel);
    void tunnel.ended.then((endTunnels) => this.removeTunnel(peerId, lines, tunnel, endTunnels));
    const next = lines.waiting.shift();
    if (next) next(tunnel);
    else lines.idle.push(tunnel);
    if (lines.open.size === 1) this.emitter.emit('change', peerId, null);
  }

  /** Open ones, in use or not. */
  countOpen(peerId: string): number {
    return this.peers.get(peerId)?.open.size ?? 0;
  }

  /** The peers that have tunnels open here. */
  peerIds(): readonly string[] {
    return [...this.peers.keys()].filter((peerId) => this.countOpen(peerId) > 0);
  }

  /** A tunnel to be used, as soon as there is one. @throws the signal's reason */
  async takeTunnel(peerId: string, signal: AbortSignal): Promise<Tunnel> {
    signal.throwIfAborted();
    const { idle, waiting } = this.linesOf(peerId);
    const first = idle.shift();
    if (first) return first;
    return new Promise((resolve, reject) => {
      const take = (tunnel: Tunnel): void => {
        signal.removeEventListener('abort', giveUp);
        resolve(tunnel);
      };
      const giveUp = (): void => {
        waiting.splice(waiting.indexOf(take), 1);
        reject(signal.reason);
      };
      waiting.push(take);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  end(peerId: string, reason: TunnelEnd): void {
    for (const tunnel of this.peers.get(peerId)?.open ?? []) tunnel.end(reason);
  }

  /** Calls back when a peer has its first tunnel open, or its last has ended and what the peer then said. */
  onChange(listener: (peerId: string, end: TunnelEnd | null) => void): void {
    this.emitter.on('change', listener);
  }

  private removeTunnel(peerId: string, { open, idle }: PeerLines, tunnel: Tunnel, end: TunnelEnd | null): void {
    open.delete(tunnel);
    const at = idle.indexOf(tunnel);
    if (at >= 0) idle.splice(at, 1);
    if (open.size === 0) this.emitter.emit('change', peerId, end);
  }

  private linesOf(peerId: string): PeerLines {
    const known = this.peers.get(peerId);
    if (known) return known;
    const made = { open: new Set<Tunnel>(), idle: [], waiting: [] };
    this.peers.set(peerId, made);
    return made;
  }
}

/** Where a server that nobody can call opens its tunnels. */
export const TUNNEL_PATH = '/peer/v1/tunnel';

/** Tunnels that wait for a request, per peer and process: a new one costs round trips, which nobody should wait for. */
export const IDLE_TUNNELS = 4;
/** Open tunnels per peer and process: a feed, and all that is fetched at once, with room to spare. */
export const MAX_TUNNELS = 32;
/** How long a request waits for a tunnel to be free. */
export const TUNNEL_WAIT_MS = 10_000;
