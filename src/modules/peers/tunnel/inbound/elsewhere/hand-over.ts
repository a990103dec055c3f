import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { Refusal } from '../../../../../kernel/refusal.js';
import { Settings } from '../../../../../platform/config/settings.js';
import { refuseUpgrade } from '../../../../../platform/http/errors/answer-upgrade.js';
import type { StatedRoute } from '../../../../../platform/http/stated-route.js';
import { Upgrades } from '../../../../../platform/http/upgrades.js';
import { PeerCallGate } from '../../../../../platform/peer-auth/peer-call-door.js';
import { TUNNEL_WAIT_MS } from '../../tunnel-limits.js';
import { joinStreams } from '../join.js';
import { TunnelHub } from '../tunnel-hub.js';
import { TunnelRoutes } from '../tunnel-ways.js';
import { handOverPath } from './own-process.js';
import { HAND_OVER_PROTOCOL } from './take-elsewhere.js';

const SWITCHING_PROTOCOLS = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${HAND_OVER_PROTOCOL}\r\n\r\n`;

export const HAND_OVER = {
  call: `Upgrade ${handOverPath('{process}')}`,
  need: 'own process',
} as const satisfies StatedRoute;

/** Where other processes of this server get tunnels that end in this one; they show it by the server's own signature. */
@Injectable()
export class TunnelHandOver implements OnModuleInit {
  private readonly logger = new Logger('Tunnels');

  constructor(
    private readonly settings: Settings,
    private readonly upgrades: Upgrades,
    private readonly door: PeerCallGate,
    private readonly hub: TunnelHub,
    private readonly ways: TunnelRoutes,
  ) {}

  onModuleInit(): void {
    if (this.settings.role === 'worker') return;
    this.upgrades.add(
      handOverPath(this.ways.processId),
      HAND_OVER,
      (request, socket) => void this.giveTunnel(request, socket),
    );
  }

  private async giveTunnel(request: IncomingMessage, socket: Duplex): Promise<void> {
    socket.on('error', () => undefined);
    try {
      await this.door.authenticate(request, 'own');
      const peerId = request.url?.split('/').at(-1) ?? '';
      if (this.hub.countOpen(peerId) === 0) throw new Refusal('UNAVAILABLE', 'No tunnel of that peer ends here.');
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
