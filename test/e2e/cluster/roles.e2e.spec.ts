import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from 'graphql-ws';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { registerPeers } from '../../../src/cli/demo/demo-steps.js';
import { openBull } from '../../support/bull-queue.js';
import { busiest, Cluster } from '../../support/cluster/cluster.js';
import { localReplica } from '../../support/pair.js';
import { lacksRedis } from '../../support/redis.js';
import { ServerUnderTest, sha256 } from '../../support/server-under-test.js';
import { waitFor } from '../../support/wait-for.js';

const MIB = 1024 * 1024;
const Uploaded = z.object({ id: z.string() });
const Stage = z.object({ package: z.object({ stage: z.string() }).nullable() });
const upload = async (server: ServerUnderTest, filename: string, bytes: Uint8Array): Promise<string> =>
  Uploaded.parse(await (await server.put(filename, bytes)).json()).id;

describe.skipIf(lacksRedis())('2 api and 2 worker processes on EventStoreDB, PostgreSQL and Redis', () => {
  let origin: ServerUnderTest;
  let cluster: Cluster;

  beforeEach(async () => {
    origin = new ServerUnderTest('origin');
    [cluster] = await Promise.all([Cluster.start('cluster', { apis: 2, workers: 2 }), origin.start()]);
    await registerPeers(await cluster.api.client(), await origin.client());
  });
  afterEach(async () => {
    await cluster.dispose();
    await origin.dispose();
  });

  it('survive the SIGKILL of the busy ones during a replication: the right bytes, and no job lost', async () => {
    const bytes = randomBytes(256 * MIB);
    const id = await upload(origin, 'big.pkg', bytes);
    await waitFor('some chunks', async () => ((await localReplica(cluster.api, id))?.verifiedChunks ?? 0) > 16);
    await Promise.all([busiest(cluster.workers).kill(), busiest(cluster.apis).kill()]);
    await waitFor('the copy', async () => (await cluster.api.servedDigest('big.pkg')) === sha256(bytes), 120_000);
    await waitFor('an empty staging folder', () => readdirSync(join(cluster.dataDir, 'staging')).length === 0);
    const { server } = await (await cluster.api.client()).ask('{ server { id } }', z.object({ server: Uploaded }));
    const queue = openBull(cluster.redis.url, server.id);
    await waitFor('the queue to have nothing left', async () => {
      const { waiting, running, stuck } = await queue.countJobs();
      return waiting + running + stuck === 0;
    });
    await queue.stop();

    const after = randomBytes(3 * MIB);
    await upload(origin, 'after.pkg', after);
    await waitFor('what comes afterwards', async () => (await cluster.api.servedDigest('after.pkg')) === sha256(after));
    const own = randomBytes(3 * MIB);
    await upload(cluster.api, 'own.pkg', own);
    await waitFor(
      'its own package at the other server',
      async () => (await origin.servedDigest('own.pkg')) === sha256(own),
    );
  });

  it('show on every api process what was answered on one, and tell the subscribers of each', async () => {
    const [first, second] = cluster.apis;
    if (!first || !second) throw new Error('two are needed');
    const heard: string[][] = [[], []];
    const { token } = await first.client();
    const clients = [first, second].map((server, i) => subscribe(server.url, token, heard[i] ?? []));
    const id = await upload(first, 'new.pkg', randomBytes(1000));
    await waitFor('the subscribers of both', () => heard.every((names) => names.includes('new.pkg')));
    for (const stage of ['Dev', 'Test', 'Prod', 'Dev']) {
      await (
        await first.client()
      ).ask(`mutation ($id: ID!) { setPackageStage(id: $id, stage: ${stage}) { id } }`, z.unknown(), { id });
      const shown = await (await second.client()).ask('query ($id: ID!) { package(id: $id) { stage } }', Stage, { id });
      expect(shown.package?.stage).toBe(stage);
    }
    await Promise.all(clients.map((client) => client.dispose()));
  });

  it('answer as what they are: a worker only whether it lives', async () => {
    const [worker] = cluster.workers;
    expect((await fetch(`${worker?.url}/health/live`)).status).toBe(200);
    expect(await (await fetch(`${worker?.url}/Packages/x.pkg`)).json()).toMatchObject({ code: 'NOT_FOUND' });
  });
});

function subscribe(url: string, token: string, heard: string[]) {
  const client = createClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { Authorization: `Bearer ${token}` },
  });
  const Changed = z.object({ packageChanged: z.object({ filename: z.string() }).nullable() });
  client.subscribe(
    { query: 'subscription { packageChanged { filename } }' },
    {
      next: ({ data }) => void heard.push(Changed.parse(data).packageChanged?.filename ?? ''),
      error: () => undefined,
      complete: () => undefined,
    },
  );
  return client;
}
