import { randomBytes } from 'node:crypto';
import { createServer, connect, type Server } from 'node:net';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { startBenchPair, type BenchServer } from '../bench-server.js';
import type { Figure } from '../figure.js';
import { median } from '../machine.js';

const PACKAGES = 40;
const SIZE = 64 * 1024;

/** Sees, as a wire between B and A, when an announcement passes and when the first chunk request does. */
class Wire {
  announcedAt = 0;
  requestedAt = 0;
  port = 0;
  private readonly server: Server;

  constructor(target: number) {
    this.server = createServer((client) => {
      const upstream = connect(target, '127.0.0.1');
      client.setNoDelay(true);
      upstream.setNoDelay(true);
      client.on('data', (bytes) => {
        if (bytes.includes('/content')) this.requestedAt ||= performance.now();
        upstream.write(bytes);
      });
      upstream.on('data', (bytes) => {
        if (bytes.includes('packageId') && bytes.includes('data:')) this.announcedAt ||= performance.now();
        client.write(bytes);
      });
      for (const socket of [client, upstream]) {
        socket.on('error', () => undefined).on('close', () => (client.destroy(), upstream.destroy()));
      }
    });
  }

  async listen(): Promise<string> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    const address = this.server.address();
    return `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`;
  }

  close(): void {
    this.server.close();
  }
}

async function followThrough(b: BenchServer, url: string): Promise<void> {
  const [peer] = (await b.client.ask('{ peers { id } }', z.object({ peers: z.array(z.object({ id: z.string() })) }))).peers;
  const mutation = 'mutation ($id: ID!, $url: String!) { updatePeer(id: $id, url: $url) { id } }';
  await b.client.ask(mutation, z.unknown(), { id: peer?.id, url });
}

async function once64KiB(a: BenchServer, b: BenchServer, wire: Wire, i: number): Promise<{ first: number; published: number }> {
  wire.announcedAt = 0;
  wire.requestedAt = 0;
  const filename = `latency-${i}.pkg`;
  const uploaded = fetch(`${a.url}/api/packages/${filename}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${a.client.token}` },
    body: randomBytes(SIZE),
  });
  while (!wire.announcedAt) await new Promise(setImmediate);
  while (!(await b.serves(filename))) await delay(1);
  const published = performance.now();
  await uploaded;
  return { first: wire.requestedAt - wire.announcedAt, published: published - wire.announcedAt };
}

/** From the announcement on the wire to the first chunk request on the wire, and to the file being served. */
export const latency: Figure = async ({ folder }) => {
  const [a, b] = await startBenchPair(folder);
  const wire = new Wire(Number(new URL(a.url).port));
  try {
    await followThrough(b, await wire.listen());
    const samples = [];
    for (let i = 0; i < PACKAGES; i++) samples.push(await once64KiB(a, b, wire, i));
    const first = median(samples.slice(5).map((sample) => sample.first));
    const published = median(samples.slice(5).map((sample) => sample.published));
    return [
      { what: 'announcement to first chunk request (ms)', ours: `${first.toFixed(1)} ms`, rival: 'no rival', value: first, mark: { atMost: 30 } },
      { what: 'announcement to published, 64 KiB (ms)', ours: `${published.toFixed(1)} ms`, rival: 'no rival', value: published, mark: { atMost: 100 } },
    ];
  } finally {
    wire.close();
    await Promise.all([a.process.stop(), b.process.stop()]);
  }
};
