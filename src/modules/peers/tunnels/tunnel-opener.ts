import { Injectable, Logger } from '@nestjs/common';
import type { RecordedEvent } from '../../../kernel/events.js';
import { AsBackgroundTask, type BackgroundTask } from '../../../platform/runtime/background-tasks.js';
import { untilAborted } from '../../../platform/runtime/restarting-work.js';
import { LiveViews, type LiveView } from '../../../platform/eventsourcing/live-views.js';
import { PeerDirectory, type PeerContact } from '../../../ports/peer-directory.port.js';
import { type TunnelEnd, TunnelTransport } from '../../../ports/tunnel-transport.port.js';
import { serverEvents } from '../../server/contracts/server.events.js';
import { TunnelledRequests } from './tunnelled-requests.js';
import { TunnelPool, type PoolParts } from './tunnel-pool.js';

/** While this server is not reachable, it keeps tunnels open to every registered peer that is not suspended. */
@AsBackgroundTask({ name: 'tunnel opener', phase: 'connect', roles: ['all', 'api'] })
@Injectable()
export class TunnelOpener implements LiveView, BackgroundTask {
  readonly name = 'tunnel opener';
  readonly eventTypes = serverEvents.types;
  private readonly pools = new Map<string, TunnelPool>();
  private readonly parts: PoolParts;
  private reachable = true;
  private isRunning = false;

  constructor(
    private readonly directory: PeerDirectory,
    private readonly views: LiveViews,
    transport: TunnelTransport,
    requests: TunnelledRequests,
  ) {
    this.parts = { transport, requests, logger: new Logger('Tunnels') };
  }

  async start(): Promise<void> {
    await this.views.follow(this);
  }

  async run(signal: AbortSignal): Promise<void> {
    this.isRunning = true;
    const stopWatching = this.directory.onChange(() => void this.syncPools());
    try {
      await this.syncPools();
      await untilAborted(signal);
    } finally {
      this.isRunning = false;
      stopWatching();
      for (const peerId of this.pools.keys()) this.endPool(peerId, 'stopping');
    }
  }

  fold(record: RecordedEvent): void {
    const event = serverEvents.read(record);
    if (event?.type !== 'ServerSettingsChanged') return;
    this.reachable = event.data.reachable;
    void this.syncPools();
  }

  private async syncPools(): Promise<void> {
    if (!this.isRunning) return;
    const peers = await this.directory.list();
    if (!this.isRunning) return;
    const wanted = new Map(
      this.reachable ? [] : peers.filter(({ suspended }) => !suspended).map((peer) => [peer.peerId, peer]),
    );
    for (const [peerId, pool] of this.pools) {
      const peer = wanted.get(peerId);
      if (!peer || !isSameContact(peer, pool.peer)) this.endPool(peerId, this.reachable ? 'reachable' : 'unwelcome');
    }
    for (const [peerId, peer] of wanted) if (!this.pools.has(peerId)) this.startPool(peerId, peer);
  }

  private startPool(peerId: string, peer: PeerContact): void {
    const pool = new TunnelPool(peer, this.parts);
    this.pools.set(peerId, pool);
    pool.openMissing();
  }

  private endPool(peerId: string, reason: TunnelEnd): void {
    this.pools.get(peerId)?.endTunnels(reason);
    this.pools.delete(peerId);
  }
}

const isSameContact = (a: PeerContact, b: PeerContact): boolean =>
  a.url === b.url && a.name === b.name && a.publicKey === b.publicKey;
