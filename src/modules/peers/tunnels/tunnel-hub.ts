import { EventEmitter } from 'node:events';
import { Injectable } from '@nestjs/common';
import type { Tunnel, TunnelEnd } from '../../../ports/tunnel-transport.port.js';

/** Path at which a server that is not reachable opens its tunnels. */
export const TUNNEL_PATH = '/peer/v1/tunnel';

/** Number of idle tunnels kept per peer and process. Opening one takes several round trips, and no request should wait for that. */
export const IDLE_TUNNELS = 4;
/** Limit of open tunnels per peer and process: enough for the feed and for everything that is fetched at the same time. */
export const MAX_TUNNELS = 32;
/** The time for which a request waits for a free tunnel. */
export const TUNNEL_WAIT_MS = 10_000;

/** The tunnels of one peer, and the requests that wait for one. */
interface PeerLines {
  readonly open: Set<Tunnel>;
  readonly idle: Tunnel[];
  readonly waiting: ((tunnel: Tunnel) => void)[];
}

/** The tunnels that end in this process, by peer. Each tunnel is handed out once, because a connection cannot be reused. */
@Injectable()
export class TunnelHub {
  private readonly peers = new Map<string, PeerLines>();
  private readonly emitter = new EventEmitter().setMaxListeners(0);

  /** Adds a tunnel. If requests are waiting, the one that has waited longest gets it. */
  addTunnel(peerId: string, tunnel: Tunnel): void {
    const lines = this.linesOf(peerId);
    lines.open.add(tunnel);
    void tunnel.ended.then((endTunnels) => this.removeTunnel(peerId, lines, tunnel, endTunnels));
    const next = lines.waiting.shift();
    if (next) next(tunnel);
    else lines.idle.push(tunnel);
    if (lines.open.size === 1) this.emitter.emit('change', peerId, null);
  }

  /** Counts the open tunnels of a peer, in use or idle. */
  countOpen(peerId: string): number {
    return this.peers.get(peerId)?.open.size ?? 0;
  }

  /** Ids of the peers that have tunnels open in this process. */
  peerIds(): readonly string[] {
    return [...this.peers.keys()].filter((peerId) => this.countOpen(peerId) > 0);
  }

  /** Resolves with an idle tunnel of the peer, and waits for one if necessary. @throws the reason of the signal when it aborts */
  async takeTunnel(peerId: string, signal: AbortSignal): Promise<Tunnel> {
    signal.throwIfAborted();
    const { idle, waiting } = this.linesOf(peerId);
    const first = idle.shift();
    if (first) return first;
    return new Promise((resolve, reject) => {
      const giveTunnel = (tunnel: Tunnel): void => {
        signal.removeEventListener('abort', giveUp);
        resolve(tunnel);
      };
      const giveUp = (): void => {
        waiting.splice(waiting.indexOf(giveTunnel), 1);
        reject(signal.reason);
      };
      waiting.push(giveTunnel);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  /** Ends all tunnels of a peer and tells the peer why. */
  endTunnels(peerId: string, reason: TunnelEnd): void {
    for (const tunnel of this.peers.get(peerId)?.open ?? []) tunnel.end(reason);
  }

  /** Calls back when the first tunnel of a peer opens (`end` is null), and when its last one has ended, with the reason the peer gave. */
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
