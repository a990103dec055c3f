import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Injectable, Logger, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Refusal } from '../../../kernel/errors.js';
import { Settings } from '../../../platform/runtime/settings.js';
import { refuseUpgrade } from '../../../platform/http/errors/socket-errors.js';
import { stateRoute, Upgrades } from '../../../platform/http/raw-routes.js';
import { PeerCallGate } from '../../../platform/peer-calls/peer-call.guard.js';
import { PeerDirectory } from '../../../ports/peer-directory.port.js';
import { TunnelTransport } from '../../../ports/tunnel-transport.port.js';
import { MAX_TUNNELS, TUNNEL_PATH, TunnelHub } from './tunnel-hub.js';

const TUNNELS = stateRoute({ call: `Upgrade ${TUNNEL_PATH}`, need: 'peer call' });

/** Accepts tunnels from peers that are not reachable, and ends them when the peer is suspended or unregistered. */
@Injectable()
export class TunnelGate implements OnModuleInit, BeforeApplicationShutdown {
  private readonly logger = new Logger('Tunnels');
  private stopWatching: () => void = () => undefined;
  private stopped = false;

  constructor(
    private readonly settings: Settings,
    private readonly upgrades: Upgrades,
    private readonly gate: PeerCallGate,
    private readonly directory: PeerDirectory,
    private readonly transport: TunnelTransport,
    private readonly hub: TunnelHub,
  ) {}

  onModuleInit(): void {
    if (this.settings.role === 'worker') return;
    this.upgrades.add(TUNNEL_PATH, TUNNELS, (request, socket, head) => void this.openTunnel(request, socket, head));
    this.stopWatching = this.directory.onChange(() => void this.endUnwelcome());
  }

  beforeApplicationShutdown(): void {
    this.stopped = true;
    this.stopWatching();
    for (const peerId of this.hub.peerIds()) this.hub.endTunnels(peerId, 'stopping');
  }

  private async openTunnel(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    // The caller may disconnect while its signature is checked.
    socket.on('error', () => undefined);
    try {
      const { actor } = await this.gate.authenticate(request, 'directory');
      if (this.stopped) throw new Refusal('UNAVAILABLE', 'This server is stopping.');
      if (this.hub.countOpen(actor.id) >= MAX_TUNNELS) {
        throw new Refusal(
          'TOO_MANY_REQUESTS',
          `One server may have at most ${MAX_TUNNELS} tunnels open at the same time.`,
        );
      }
      this.transport.accept(request, socket, head, (tunnel) => this.hub.addTunnel(actor.id, tunnel));
    } catch (error) {
      refuseUpgrade(socket, error, this.logger);
    }
  }

  private async endUnwelcome(): Promise<void> {
    for (const peerId of this.hub.peerIds()) {
      const peer = await this.directory.find(peerId);
      if (!peer || peer.suspended) this.hub.endTunnels(peerId, 'unwelcome');
    }
  }
}
