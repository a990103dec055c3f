import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Logger } from '@nestjs/common';
import { HttpPeerTransport } from '../../src/adapters/peer-transport/http/http-peer-transport.js';
import { WebSocketTunnels, type TunnelOptions } from '../../src/adapters/peer-transport/http/web-socket-tunnels.js';
import { TunnelHub } from '../../src/modules/peers/tunnels/tunnel-hub.js';
import { TunnelPort } from '../../src/modules/peers/tunnels/tunnel-port.js';
import { TunnelPool } from '../../src/modules/peers/tunnels/tunnel-pool.js';
import { peer } from './scripted-peer.js';
import { LOOPBACK_PEERS } from './loopback-peers.js';

const signer = { sign: () => ({}) };
/** Where nobody listens: only the tunnel leads to the hidden server. */
const NOWHERE = 'http://127.0.0.1:1';

/** A server that nobody can call, and one that it holds tunnels open to; the calls between them are let in unchecked. */
export interface TunnelScene {
  readonly hub: TunnelHub;
  /** Leads to the hidden server. */
  readonly port: TunnelPort;
  readonly transport: HttpPeerTransport;
  readonly hidden: ReturnType<typeof peer>;
  /** The connections under the tunnels, on the side that accepted them. */
  readonly sockets: Set<Socket>;
  stop(): Promise<void>;
}

/** What the hidden server does with a connection that comes out of a tunnel. */
export type Serve = (connection: Duplex) => void;

export function answering(handle: RequestListener): Serve {
  const server = createServer({ requestTimeout: 0, headersTimeout: 0 }, handle);
  return (connection) => server.emit('connection', connection);
}

/** `through` may put something between the two: it gets the port of the one that is called and gives the one to call. */
export async function startTunnels(
  serve: Serve,
  options: TunnelOptions = {},
  through: (port: number) => Promise<number> = async (port) => port,
): Promise<TunnelScene> {
  const hidden = peer(NOWHERE);
  const hub = new TunnelHub();
  const inner = new WebSocketTunnels(signer, options);
  const sockets = new Set<Socket>();
  const server = createServer().listen(0, '127.0.0.1');
  server.on('upgrade', (request, socket, head) => {
    sockets.add(request.socket);
    socket.once('close', () => sockets.delete(request.socket));
    inner.accept(request, socket, head, (tunnel) => hub.addTunnel(hidden.peerId, tunnel));
  });
  await once(server, 'listening');
  const url = `http://127.0.0.1:${await through((server.address() as AddressInfo).port)}`;
  const logger = new Logger('Tunnels');
  Logger.overrideLogger(false);
  const pool = new TunnelPool(peer(url), {
    transport: new WebSocketTunnels(signer, { ...LOOPBACK_PEERS, ...options }),
    requests: { serveConnection: serve },
    logger,
  });
  pool.openMissing();
  const port = await TunnelPort.open(async (signal) => (await hub.takeTunnel(hidden.peerId, signal)).stream);
  const route = { kind: 'tunnel', host: port.host, port: port.port } as const;
  const transport = new HttpPeerTransport(signer, {}, { routeTo: async () => route });
  return {
    hub,
    port,
    transport,
    hidden,
    sockets,
    async stop() {
      pool.endTunnels('stopping');
      await Promise.all([transport.onApplicationShutdown(), port.close()]);
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
