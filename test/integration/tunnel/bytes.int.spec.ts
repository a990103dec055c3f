import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { IDLE_TUNNELS, MAX_TUNNELS } from '../../../src/modules/peers/tunnels/tunnel-hub.js';
import { FaultProxy } from '../../support/fault-proxy.js';
import { answering, startTunnels, type TunnelScene } from '../../support/tunnel-scene.js';
import { waitFor } from '../../support/wait-for.js';

const MIB = 1024 * 1024;
/** What the kernel holds for the connections on the way, and our own buffers. */
const ON_THE_WAY = 48 * MIB;

let scene: TunnelScene;
afterEach(() => scene.stop());

async function dial(): Promise<Socket> {
  const socket = connect(scene.port.port, scene.port.host);
  await once(socket, 'connect');
  return socket;
}

/** Writes as fast as the stream takes it, and tells how much it has taken. */
function pour(stream: Duplex, total: number): { taken: number } {
  const block = Buffer.alloc(MIB, 7);
  const poured = { taken: 0 };
  const more = (): void => {
    if (poured.taken === total) return void stream.end();
    stream.write(block, (error) => {
      if (error) return;
      poured.taken += block.length;
      more();
    });
  };
  more();
  return poured;
}

/** Reads piece by piece what there is; returns how much came, and how far the writer was ahead at most. */
async function sip(stream: Duplex, poured: () => number): Promise<{ read: number; ahead: number }> {
  let read = 0;
  let ahead = 0;
  for await (const piece of stream) {
    read += (piece as Buffer).length;
    ahead = Math.max(ahead, poured() - read);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { read, ahead };
}

describe('bytes in a tunnel', () => {
  it('wait for a slow reader on this side', async () => {
    const total = 128 * MIB;
    let poured = { taken: 0 };
    scene = await startTunnels(
      (connection) => void connection.once('data', () => void (poured = pour(connection, total))),
    );
    const socket = await dial();
    socket.write('go');
    const { read, ahead } = await sip(socket, () => poured.taken);
    expect(read).toBe(total);
    expect(ahead).toBeLessThan(ON_THE_WAY);
  });

  it('wait for a slow reader on the other side', async () => {
    const total = 128 * MIB;
    let poured = { taken: 0 };
    const arrived = new EventEmitter();
    scene = await startTunnels((connection) => {
      connection.once('readable', () => arrived.emit('first byte', connection));
    });
    const first = once(arrived, 'first byte') as Promise<[Duplex]>;
    poured = pour(await dial(), total);
    const [connection] = await first;
    const { read, ahead } = await sip(connection, () => poured.taken);
    expect(read).toBe(total);
    expect(ahead).toBeLessThan(ON_THE_WAY);
  });

  it('come in an answer of any size, also when it is written at once', async () => {
    const text = JSON.stringify({ text: randomBytes(12 * MIB).toString('hex') });
    scene = await startTunnels(
      answering((_, response) => response.setHeader('content-type', 'application/json').end(text)),
    );
    expect(await scene.transport.get(scene.hidden, '/peer/v1/x', 2 ** 26)).toEqual(JSON.parse(text));
  });

  it('end on the other side when they end here, and a new tunnel takes the place', async () => {
    let ended = 0;
    scene = await startTunnels((connection) => {
      connection.on('error', () => undefined).once('close', () => (ended += 1));
      connection.once('data', () => pour(connection, 64 * MIB));
    });
    await waitFor('idle tunnels', () => scene.hub.countOpen('a') >= IDLE_TUNNELS);
    const socket = await dial();
    socket.write('go');
    await once(socket, 'data');
    socket.destroy();
    await waitFor('the end on the other side', () => ended === 1);
    await waitFor('a new one', () => scene.hub.countOpen('a') === IDLE_TUNNELS);
  });

  it('go through as many tunnels as there may be, and who comes then waits for a free one', async () => {
    scene = await startTunnels(
      answering((request, response) => {
        if (request.url === '/hold') return;
        response
          .setHeader('content-type', 'application/json')
          .end(JSON.stringify({ path: request.url, host: request.headers.host }));
      }),
    );
    const paths = Array.from({ length: 200 }, (_, i) => `/peer/v1/${i}`);
    const sockets = await Promise.all(Array.from({ length: MAX_TUNNELS + 10 }, dial));
    for (const socket of sockets) socket.on('error', () => undefined).write('GET /hold HTTP/1.1\r\nhost: x\r\n\r\n');
    await waitFor('all tunnels', () => scene.hub.countOpen('a') === MAX_TUNNELS);
    for (const socket of sockets) socket.destroy();
    const answers = await Promise.all(paths.map((path) => scene.transport.get(scene.hidden, path, 2 ** 26)));
    expect(answers).toEqual(paths.map((path) => ({ path, host: '127.0.0.1:1' })));
    expect(scene.hub.countOpen('a')).toBeLessThanOrEqual(MAX_TUNNELS);
  });
});

describe('a tunnel', () => {
  it('that falls silent is given up on both sides, and another is opened', async () => {
    let proxy: FaultProxy | null = null;
    scene = await startTunnels(
      () => undefined,
      { heartbeat: { pingMs: 50, deadMs: 200 } },
      async (port) => {
        proxy = await new FaultProxy(() => port).start();
        return proxy.port;
      },
    );
    await waitFor('idle tunnels', () => scene.hub.countOpen('a') === IDLE_TUNNELS);
    const before = new Set(scene.sockets);
    const silent: FaultProxy = await waitFor('the proxy', () => proxy);
    silent.tamper = () => null;
    await waitFor('the old ones to go', () => [...before].every((socket) => socket.destroyed));
    silent.tamper = (bytes) => bytes;
    await waitFor('new ones', () => scene.hub.countOpen('a') === IDLE_TUNNELS);
    await scene.stop();
    await silent.stop();
    scene = await startTunnels(() => undefined);
  });

  it('is opened again after the other side ended all of them', async () => {
    scene = await startTunnels(
      answering((_, response) => response.setHeader('content-type', 'application/json').end('{}')),
    );
    await waitFor('idle tunnels', () => scene.hub.countOpen('a') === IDLE_TUNNELS);
    scene.hub.endTunnels('a', 'stopping');
    await waitFor('their end', () => scene.hub.countOpen('a') < IDLE_TUNNELS);
    await waitFor('new ones', () => scene.hub.countOpen('a') === IDLE_TUNNELS);
    expect(await scene.transport.get(scene.hidden, '/peer/v1/x', 2 ** 26)).toEqual({});
  });
});
