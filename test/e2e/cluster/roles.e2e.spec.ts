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
/** Several processes start and take over from each other, also on a machine that is busy with other things. */
const PATIENCE_MS = 180_000;
const Uploaded = z.object({ id: z.string() });
const Stage = z.object({ package: z.object({ stage: z.string() }).nullable() });
const Ready = z.object({ status: z.string(), missingRoles: z.array(z.string()).optional() });
const STATE = `{ queue { state advice } problems { kind }
  peers { inSync inSyncUnknown { reason ageSeconds } contact { following unknown { reason ageSeconds } } } }`;
const Unknown = z.object({ reason: z.string(), ageSeconds: z.number() }).nullable();
const State = z.object({
  queue: z.object({ state: z.string(), advice: z.string().nullable() }),
  problems: z.array(z.object({ kind: z.string() })),
  peers: z.array(
    z.object({
      inSync: z.boolean().nullable(),
      inSyncUnknown: Unknown,
      contact: z.object({ following: z.boolean().nullable(), unknown: Unknown }).nullable(),
    }),
  ),
});
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

  it(
    'survive the SIGKILL of the busy ones during a replication: the right bytes, and no job lost',
    { timeout: 600_000 },
    async () => {
      const bytes = randomBytes(256 * MIB);
      const id = await upload(origin, 'big.pkg', bytes);
      await waitFor(
        'some chunks',
        async () => ((await localReplica(cluster.api, id))?.verifiedChunks ?? 0) > 16,
        PATIENCE_MS,
      );
      await Promise.all([busiest(cluster.workers).kill(), busiest(cluster.apis).kill()]);
      await waitFor('the copy', async () => (await cluster.api.servedDigest('big.pkg')) === sha256(bytes), PATIENCE_MS);
      await waitFor(
        'an empty staging folder',
        () => readdirSync(join(cluster.dataDir, 'staging')).length === 0,
        PATIENCE_MS,
      );
      const { server } = await (await cluster.api.client()).ask('{ server { id } }', z.object({ server: Uploaded }));
      const queue = openBull(cluster.redis.url, server.id);
      await waitFor(
        'the queue to have nothing left',
        async () => {
          const { waiting, running, stuck } = await queue.countJobs();
          return waiting + running + stuck === 0;
        },
        PATIENCE_MS,
      );
      await queue.stop();

      const after = randomBytes(3 * MIB);
      await upload(origin, 'after.pkg', after);
      await waitFor(
        'what comes afterwards',
        async () => (await cluster.api.servedDigest('after.pkg')) === sha256(after),
        PATIENCE_MS,
      );
      const own = randomBytes(3 * MIB);
      await upload(cluster.api, 'own.pkg', own);
      await waitFor(
        'its own package at the other server',
        async () => (await origin.servedDigest('own.pkg')) === sha256(own),
        PATIENCE_MS,
      );
    },
  );

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

  it('answer as what they are: a worker only whether it lives. When all workers are dead, the others say so', async () => {
    const [worker] = cluster.workers;
    expect((await fetch(`${worker?.url}/health/live`)).status).toBe(200);
    expect(await (await fetch(`${worker?.url}/Packages/x.pkg`)).json()).toMatchObject({ code: 'NOT_FOUND' });

    const client = await cluster.api.client();
    const look = () => client.ask(STATE, State);
    await waitFor('both to agree', async () => (await look()).peers[0]?.inSync === true, 120_000);
    expect((await look()).peers[0]).toMatchObject({ contact: { following: true, unknown: null }, inSyncUnknown: null });
    await Promise.all(cluster.workers.map((one) => one.kill()));
    await waitFor('the lack of a worker to be told', async () => {
      const ready = Ready.parse(await (await fetch(`${cluster.api.url}/health/ready`)).json());
      return ready.status === 'degraded' && ready.missingRoles?.includes('worker') === true;
    });
    const unknown = { reason: expect.stringContaining('ODST_ROLE=worker'), ageSeconds: expect.any(Number) };
    await waitFor('the state of the peer to be unknown', async () => (await look()).peers[0]?.inSync === null);
    expect(await look()).toMatchObject({
      queue: { state: 'STUCK', advice: expect.stringContaining('ODST_ROLE=worker') },
      peers: [{ inSync: null, inSyncUnknown: unknown, contact: { following: null, unknown } }],
      problems: [{ kind: 'ROLE_MISSING' }],
    });
    expect(await cluster.api.servedDigest('x.pkg')).toBeNull();
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
