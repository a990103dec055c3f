import { Global, Module } from '@nestjs/common';
import { PeerTunnels } from '../../../ports/peer-tunnels.port.js';
import { TunnelHandOver } from './inbound/elsewhere/hand-over.js';
import { TunnelGate } from './inbound/tunnel-gate.js';
import { TunnelHub } from './inbound/tunnel-hub.js';
import { TunnelTable } from './inbound/tunnel-table.js';
import { TunnelWays } from './inbound/tunnel-ways.js';
import { TunnelledRequests } from './outbound/tunnelled-requests.js';
import { TunnelOpener } from './outbound/tunnel-opener.js';

const inbound = [TunnelHub, TunnelTable, TunnelWays, { provide: PeerTunnels, useExisting: TunnelWays }, TunnelGate, TunnelHandOver];

/** Calls to servers that nobody can call. `TunnelOpener.start` opens those of this server when it is one. */
@Global()
@Module({ providers: [...inbound, TunnelledRequests, TunnelOpener], exports: [PeerTunnels, TunnelOpener] })
export class TunnelsModule {}
