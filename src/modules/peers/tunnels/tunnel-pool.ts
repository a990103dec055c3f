import { setMaxListeners } from 'node:events';
import type { Logger } from '@nestjs/common';
import { backoffMs } from '../../../kernel/retry.js';
import type { PeerContact } from '../../../ports/peer-directory.port.js';
import type { Tunnel, TunnelEnd, TunnelTransport } from '../../../ports/tunnel-transport.port.js';
import { IDLE_TUNNELS, MAX_TUNNELS } from './tunnel-hub.js';
import type { TunnelledRequests } from './tunnelled-requests.js';

const MIN_RETRY_MS = 250;
const MAX_RETRY_MS = 15_000;

export interface PoolParts {
  readonly transport: TunnelTransport;
  readonly requests: Pick<TunnelledRequests, 'serveConnection'>;
  readonly logger: Logger;
}

/** The tunnels to one peer. Some of them are idle; when one is taken or lost, another one is opened. */
export class TunnelPool {
  private readonly stopping = new AbortController();
  private readonly idle = new Set<Tunnel>();
  private readonly taken = new Set<Tunnel>();
  private opening = 0;
  private failures = 0;
  private retry: NodeJS.Timeout | null = null;
  private lastProblem: string | null = null;

  constructor(
    readonly peer: PeerContact,
    private readonly parts: PoolParts,
  ) {
    setMaxListeners(MAX_TUNNELS, this.stopping.signal);
  }

  /** Opens the tunnels that are missing. While the peer does not answer, it makes one attempt at a time. */
  openMissing(): void {
    if (this.stopping.signal.aborted || this.retry) return;
    const wanted = this.failures > 0 ? 1 : IDLE_TUNNELS;
    while (this.idle.size + this.opening < wanted && this.size < MAX_TUNNELS) void this.openTunnel();
  }

  /** Ends all tunnels and opens no more. */
  endTunnels(reason: TunnelEnd): void {
    this.stopping.abort();
    if (this.retry) clearTimeout(this.retry);
    for (const tunnel of [...this.idle, ...this.taken]) tunnel.end(reason);
  }

  private get size(): number {
    return this.idle.size + this.taken.size + this.opening;
  }

  private async openTunnel(): Promise<void> {
    this.opening += 1;
    try {
      const tunnel = await this.parts.transport.open(this.peer, this.stopping.signal);
      this.opening -= 1;
      this.addTunnel(tunnel);
    } catch (error) {
      this.opening -= 1;
      this.reportFailure(error);
    }
  }

  private addTunnel(tunnel: Tunnel): void {
    if (this.idle.size + this.taken.size === 0)
      this.parts.logger.log(`${this.peer.name} can call this server through tunnels`);
    this.lastProblem = null;
    this.failures = 0;
    this.idle.add(tunnel);
    void tunnel.taken.then(() => this.markTaken(tunnel));
    void tunnel.ended.then(() => this.removeTunnel(tunnel));
    this.parts.requests.serveConnection(tunnel.stream);
    this.openMissing();
  }

  private markTaken(tunnel: Tunnel): void {
    if (!this.idle.delete(tunnel)) return;
    this.taken.add(tunnel);
    this.openMissing();
  }

  /** Opening is delayed after a tunnel that ended unused, because the next one may end in the same way. */
  private removeTunnel(tunnel: Tunnel): void {
    this.taken.delete(tunnel);
    if (this.idle.delete(tunnel)) this.retryLater();
    else this.openMissing();
  }

  private reportFailure(error: unknown): void {
    if (this.stopping.signal.aborted) return;
    const problem = error instanceof Error ? error.message : String(error);
    if (problem !== this.lastProblem)
      this.parts.logger.warn(`Cannot open a tunnel to ${problem}. The server keeps trying.`);
    this.lastProblem = problem;
    this.retryLater();
  }

  private retryLater(): void {
    if (this.stopping.signal.aborted || this.retry) return;
    this.failures += 1;
    this.retry = setTimeout(
      () => {
        this.retry = null;
        this.openMissing();
      },
      backoffMs(this.failures, MIN_RETRY_MS, MAX_RETRY_MS, Math.random()),
    );
  }
}
