import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { Refusal } from '../../../kernel/errors.js';
import { Settings } from '../../../platform/runtime/settings.js';
import { refuseUpgrade } from '../../../platform/http/errors/socket-errors.js';
import { stateRoute, Upgrades } from '../../../platform/http/raw-routes.js';
import { PeerCallGate } from '../../../platform/peer-calls/peer-call.guard.js';
import { TUNNEL_WAIT_MS, TunnelHub } from './tunnel-hub.js';
import { joinStreams } from './tunnel-port.js';
import { TunnelRoutes } from './tunnel-routes.js';
import { HAND_OVER_PROTOCOL, handOverPath } from './other-processes.js';

const SWITCHING_PROTOCOLS = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${HAND_OVER_PROTOCOL}\r\n\r\n`;

const HAND_OVER = stateRoute({
  call: `Upgrade ${handOverPath('{process}')}`,
  need: 'own process',
});

/** Hands tunnels that end in this process to other processes of this server. They authenticate with the key of the server itself. */
@Injectable()
export class TunnelHandOver implements OnModuleInit {
  private readonly logger = new Logger('Tunnels');

  constructor(
    private readonly settings: Settings,
    private readonly upgrades: Upgrades,
    private readonly gate: PeerCallGate,
    private readonly hub: TunnelHub,
    private readonly routes: TunnelRoutes,
  ) {}

  onModuleInit(): void {
    if (this.settings.role === 'worker') return;
    this.upgrades.add(
      handOverPath(this.routes.processId),
      HAND_OVER,
      (request, socket) => void this.giveTunnel(request, socket),
    );
  }

  private async giveTunnel(request: IncomingMessage, socket: Duplex): Promise<void> {
    socket.on('error', () => undefined);
    try {
      await this.gate.authenticate(request, 'own');
      const peerId = request.url?.split('/').at(-1) ?? '';
      if (this.hub.countOpen(peerId) === 0)
        throw new Refusal('UNAVAILABLE', 'No tunnel of this peer ends in this process.');
      const tunnel = await this.hub.takeTunnel(peerId, AbortSignal.timeout(TUNNEL_WAIT_MS));
      request.socket.setTimeout(0);
      request.socket.setNoDelay(true);
      socket.write(SWITCHING_PROTOCOLS);
      joinStreams(socket, tunnel.stream);
    } catch (error) {
      refuseUpgrade(socket, error, this.logger);
    }
  }
}
