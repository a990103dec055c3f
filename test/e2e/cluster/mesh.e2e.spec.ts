import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { registerPeers } from '../../../src/cli/demo/demo-steps.js';
import { findFreePort } from '../../../src/cli/demo/server-process.js';
import { Cluster } from '../../support/cluster/cluster.js';
import { link } from '../../support/links.js';
import { localReplica } from '../../support/pair.js';
import { lacksRedis } from '../../support/redis.js';
import { ServerUnderTest, sha256 } from '../../support/server-under-test.js';
import { waitFor } from '../../support/wait-for.js';

const MIB = 1024 * 1024;
const LONG_MS = 120_000;
const Uploaded = z.object({ id: z.string() });
const Ways = z.object({ peers: z.array(z.object({ name: z.string(), connectedThrough: z.string() })) });

const served = (at: ServerUnderTest, filename: string, bytes: Buffer): Promise<unknown> =>
  waitFor(`${filename} on ${at.name}`, async () => (await at.servedDigest(filename)) === sha256(bytes), LONG_MS);

/** What ends in an api process is needed in a worker, and what a worker has is given out by an api process. */
describe.skipIf(lacksRedis())('2 api processes and a worker in the middle of a mesh', () => {
  let cluster: Cluster;
  let last: ServerUnderTest;
  const others: ServerUnderTest[] = [];

  beforeAll(async () => {
    last = new ServerUnderTest('last');
    [cluster] = await Promise.all([Cluster.start('cluster', { apis: 2, workers: 1 }), last.start()]);
    await registerPeers(await cluster.api.client(), await last.client());
  });
  afterAll(async () => {
    await Promise.all([last, ...others].map((server) => server.dispose()));
    await cluster.dispose();
  });

  async function started(name: string, env: Record<string, string> = {}): Promise<ServerUnderTest> {
    const server = new ServerUnderTest(name, env);
    others.push(server);
    await server.start();
    return server;
  }

  it('fetch through the tunnels of a server that nobody can call, and give it what others have', async () => {
    const hidden = await started('hidden', {
      ODST_REACHABLE: 'false',
      ODST_URL: `http://127.0.0.1:${await findFreePort(0)}`,
    });
    await registerPeers(await cluster.api.client(), await hidden.client());
    const [up, down] = [randomBytes(40 * MIB + 17), randomBytes(3 * MIB)];
    await Promise.all([hidden.put('up.pkg', up), last.put('down.pkg', down)]);
    await Promise.all([
      served(cluster.api, 'up.pkg', up),
      served(last, 'up.pkg', up),
      served(hidden, 'down.pkg', down),
    ]);
    const { peers } = await (await cluster.api.client()).ask('{ peers { name connectedThrough } }', Ways);
    expect(peers).toContainEqual({ name: 'hidden', connectedThrough: 'TUNNEL' });
  });

  it('pass chunks on while a worker still fetches the package', async () => {
    const origin = await started('origin');
    const way = await link(cluster.api, origin);
    way.limitContent(30 * MIB);
    const bytes = randomBytes(64 * MIB);
    const { id } = Uploaded.parse(await (await origin.put('chain.pkg', bytes)).json());
    await waitFor(
      'chunks on the last server',
      async () => ((await localReplica(last, id))?.verifiedChunks ?? 0) > 0,
      LONG_MS,
    );
    expect((await localReplica(cluster.api, id))?.verifiedChunks).toBeLessThan(64);
    way.limitContent(Number.POSITIVE_INFINITY);
    for (const server of [last, cluster.api]) await served(server, 'chain.pkg', bytes);
    await way.stop();
  });
});
