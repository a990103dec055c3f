import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { registerPeers } from '../../../src/cli/demo/demo-steps.js';
import { Cluster } from '../../support/cluster/cluster.js';
import { localReplica } from '../../support/pair.js';
import { lacksRedis } from '../../support/redis.js';
import { ServerUnderTest, sha256 } from '../../support/server-under-test.js';
import { dumpTables } from '../../support/table-dump.js';
import { waitFor } from '../../support/wait-for.js';

const MIB = 1024 * 1024;
const OUTAGE_MS = 60_000;
const REBUILD = fileURLToPath(new URL('../../../scripts/rebuild.mjs', import.meta.url));
const Refused = z.object({ code: z.string() });
const Uploaded = z.object({ id: z.string() });

interface Engine {
  readonly name: 'readModels' | 'eventStore' | 'jobQueue';
  stop(): Promise<void>;
  start(): Promise<void>;
}

describe.skipIf(lacksRedis())('while an engine is away for a minute', () => {
  let origin: ServerUnderTest;
  let cluster: Cluster;
  /** Digests of everything that was answered with 201, by filename. */
  const kept = new Map<string, string>();

  beforeAll(async () => {
    origin = new ServerUnderTest('origin');
    [cluster] = await Promise.all([Cluster.start('cluster', { apis: 1, workers: 1 }), origin.start()]);
    await registerPeers(await cluster.api.client(), await origin.client());
  });
  afterAll(async () => {
    await cluster.dispose();
    await origin.dispose();
  });

  const engines: Record<string, () => Engine> = {
    EventStoreDB: () => ({
      name: 'eventStore',
      stop: () => cluster.events.kill(),
      start: () => cluster.events.restart(),
    }),
    PostgreSQL: () => ({
      name: 'readModels',
      stop: () => cluster.postgres.stop(),
      start: () => cluster.postgres.restart(),
    }),
    Redis: () => ({ name: 'jobQueue', stop: () => cluster.redis.stop(), start: () => cluster.redis.restart() }),
  };

  it.each(Object.keys(engines))(
    '%s: nothing is answered falsely, nothing is lost, and all goes on by itself',
    async (name) => {
      const engine = engines[name]?.();
      if (!engine) throw new Error('no such engine');
      const pids = cluster.processes.map(({ pid }) => pid);
      const id = await upload(origin, `${name}-before.pkg`, 128 * MIB);
      await waitFor('some chunks', async () => ((await localReplica(cluster.api, id))?.verifiedChunks ?? 0) > 0);
      await engine.stop();
      await liveThrough(name, engine);
      await engine.start();

      await waitFor(
        'everything at both servers',
        async () => {
          for (const [filename, digest] of kept) {
            for (const server of [cluster.api, origin])
              if ((await server.servedDigest(filename)) !== digest) return false;
          }
          return true;
        },
        120_000,
      );
      await waitFor('the cluster to be ready', async () => (await health()).status === 200);
      expect(cluster.processes.map(({ pid, isRunning }) => isRunning && pid)).toEqual(pids);
      await expectRowsToEqualARebuild();
    },
    400_000,
  );

  async function upload(to: ServerUnderTest, filename: string, size: number): Promise<string> {
    const bytes = randomBytes(size);
    const answer = await to.put(filename, bytes);
    expect(answer.status).toBe(201);
    kept.set(filename, sha256(bytes));
    return Uploaded.parse(await answer.json()).id;
  }

  const health = async (): Promise<{ status: number; body: unknown }> => {
    const response = await fetch(`${cluster.api.url}/health/ready`);
    return { status: response.status, body: await response.json() };
  };

  /** The outage itself is a time; what happens in it is not waited for by the clock. */
  async function liveThrough(name: string, engine: Engine): Promise<void> {
    const until = Date.now() + OUTAGE_MS;
    await upload(origin, `${name}-meanwhile.pkg`, 3 * MIB);
    const reported = waitFor('the engine to be named', async () => {
      const { status, body } = await health();
      return status === 503 && JSON.stringify(body).includes(`"${engine.name}":"unavailable"`);
    });
    for (let i = 0; Date.now() < until; i++) {
      expect((await fetch(`${cluster.api.url}/health/live`)).status).toBe(200);
      await tryUpload(`${name}-${i}.pkg`);
      await delay(500);
    }
    await reported;
  }

  /** Either done for good, or refused with a code. */
  async function tryUpload(filename: string): Promise<void> {
    const bytes = randomBytes(100_000);
    const answer = await cluster.api.put(filename, bytes);
    if (answer.status === 201) kept.set(filename, sha256(bytes));
    else expect([answer.status, Refused.parse(await answer.json()).code]).toEqual([503, 'UNAVAILABLE']);
  }

  async function expectRowsToEqualARebuild(): Promise<void> {
    const before = await settledRows();
    const env = {
      ...process.env,
      DATABASE_URL: cluster.postgres.url,
      EVENTSTOREDB_URL: cluster.events.url,
      ODST_DATA_DIR: cluster.dataDir,
    };
    await promisify(execFile)(process.execPath, [REBUILD], { env });
    expect(await settledRows()).toEqual(before);
  }

  /**
   * The other server tells of its copy of each package that is held here. That takes as long as its jobs wait for the next
   * try, and also of an upload that was answered 503 and is there all the same.
   */
  function tellsOfAllCopies({ replicas = [], audit_entries: audit = [] }: Record<string, string[]>): boolean {
    const held = replicas.flatMap((row) => /^\(([0-9a-f-]{36}),[^,]+,t,PUBLISHED,/.exec(row)?.[1] ?? []);
    return held.every((id) =>
      audit.some((row) => row.includes(',ReplicaReported,') && row.includes(`,PACKAGE,${id},`)),
    );
  }

  /** The rows once they have stopped changing. Where a reader stands in the log is not part of them. */
  async function settledRows(): Promise<Record<string, string[]>> {
    let last = '';
    return waitFor('the rows to settle', async () => {
      const { checkpoints: _, ...rows } = await dumpTables(cluster.postgres.settings, 'read');
      const text = JSON.stringify(rows);
      const isSettled = text === last && tellsOfAllCopies(rows);
      last = text;
      if (!isSettled) await delay(1_000);
      return isSettled && rows;
    });
  }
});
