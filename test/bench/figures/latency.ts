import { randomBytes } from 'node:crypto';
import { createServer, connect, type Server } from 'node:net';
import { EventEmitter, once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { hasRedis, RedisUnderTest } from '../../support/redis.js';
import { startBenchPair, stopAll, type BenchServer } from '../bench-server.js';
import { withEventStoreDb } from '../cluster-engines.js';
import type { Figure } from '../figure.js';
import { median } from '../machine.js';

const PACKAGES = 40;
const SIZE = 64 * 1024;
/** Asking is work for B as well: not so often that it slows what is measured. */
const POLL_MS = 3;

/** Sees, as a wire between B and A, when an announcement passes and when the first chunk request does. */
class Wire {
  announcedAt = 0;
  requestedAt = 0;
  private readonly seen = new EventEmitter();
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
        if (!this.announcedAt && bytes.includes('packageId') && bytes.includes('data:')) this.announce();
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

  /** Resolves when the next announcement passes. */
  async announced(): Promise<void> {
    this.announcedAt = 0;
    this.requestedAt = 0;
    await once(this.seen, 'announced');
  }

  close(): void {
    this.server.close();
  }

  private announce(): void {
    this.announcedAt = performance.now();
    this.seen.emit('announced');
  }
}

async function oneSample(
  a: BenchServer,
  b: BenchServer,
  wire: Wire,
  i: number,
): Promise<{ first: number; published: number }> {
  const filename = `latency-${i}.pkg`;
  const announced = wire.announced();
  const uploaded = fetch(`${a.url}/api/packages/${filename}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${a.client.token}` },
    body: randomBytes(SIZE),
  });
  await announced;
  while (!(await b.serves(filename))) await delay(POLL_MS);
  const published = performance.now();
  await uploaded;
  return { first: wire.requestedAt - wire.announcedAt, published: published - wire.announcedAt };
}

interface Latency {
  /** Milliseconds. */
  readonly first: number;
  readonly published: number;
}

/** Medians, with B on the engines that its settings name. */
async function measure(folder: string, settings: Readonly<Record<string, string>>): Promise<Latency> {
  const [a, b] = await startBenchPair(folder, settings);
  const wire = new Wire(Number(new URL(a.url).port));
  try {
    await b.callPeerAt(a, await wire.listen());
    const samples = [];
    for (let i = 0; i < PACKAGES; i++) samples.push(await oneSample(a, b, wire, i));
    const counted = samples.slice(5);
    return {
      first: median(counted.map(({ first }) => first)),
      published: median(counted.map(({ published }) => published)),
    };
  } finally {
    wire.close();
    await stopAll([a, b]);
  }
}

const inMs = (value: number): string => `${value.toFixed(1)} ms`;

/** From the announcement on the wire to the first chunk request on the wire, and to the file being served. */
export const latency: Figure = async ({ folder }) => {
  const { first, published } = await measure(folder, {});
  return [
    {
      what: 'announcement to first chunk request (ms)',
      ours: inMs(first),
      rival: 'no rival',
      value: first,
      mark: { atMost: 30 },
    },
    {
      what: 'announcement to published, 64 KiB (ms)',
      ours: inMs(published),
      rival: 'no rival',
      value: published,
      mark: { atMost: 48 },
    },
  ];
};

const ON_CLUSTER = 'announcement to first chunk request on EventStoreDB and Redis (ms)';

/** The same with the follower on the engines of a cluster. */
export const clusterLatency: Figure = async ({ folder }) => {
  if (!hasRedis()) return [{ what: ON_CLUSTER, skipped: 'redis-server is not on PATH' }];
  const redis = await RedisUnderTest.start();
  try {
    return await withEventStoreDb(async (url) => {
      const { first, published } = await measure(mkdtempSync(join(folder, 'cluster-')), {
        EVENTSTOREDB_URL: url,
        REDIS_URL: redis.url,
      });
      const what = 'announcement to published, 64 KiB, there (ms)';
      return [
        { what: ON_CLUSTER, ours: inMs(first), rival: 'no rival', value: first, mark: { atMost: 150 } },
        { what, ours: inMs(published), rival: 'no rival', value: published, mark: {} },
      ];
    });
  } finally {
    await redis.dispose();
  }
};
