import { Global, Module } from '@nestjs/common';
import { PeerTunnels } from '../../ports/peer-tunnels.port.js';
import { PeerRouteHandler } from './queries/peer-way.handler.js';
import { TunnelHandOver } from './tunnel/inbound/elsewhere/hand-over.js';
import { TunnelGate } from './tunnel/inbound/tunnel-gate.js';
import { TunnelHub } from './tunnel/inbound/tunnel-hub.js';
import { TunnelTable } from './tunnel/inbound/tunnel-table.js';
import { TunnelRoutes } from './tunnel/inbound/tunnel-ways.js';
import { TunnelledRequests } from './tunnel/outbound/tunnelled-requests.js';
import { TunnelOpener } from './tunnel/outbound/tunnel-opener.js';

const inbound = [
  TunnelHub,
  TunnelTable,
  TunnelRoutes,
  { provide: PeerTunnels, useExisting: TunnelRoutes },
  TunnelGate,
  TunnelHandOver,
];

/** What carries calls to servers that nobody can call, without what shows it. */
export const tunnelProviders = [...inbound, TunnelledRequests, TunnelOpener];

/** Calls to servers that nobody can call. `TunnelOpener.start` opens those of this server when it is one. */
@Global()
@Module({ providers: [...tunnelProviders, PeerRouteHandler], exports: [PeerTunnels, TunnelOpener] })
export class TunnelsModule {}
