import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { afterEach, expect } from 'vitest';
import { z } from 'zod';
import { registerPeers } from '../../../src/cli/demo/demo-steps.js';
import { itWith } from '../../support/programs.js';
import { ServerUnderTest, sha256 } from '../../support/server-under-test.js';
import { waitFor } from '../../support/wait-for.js';

/** libfaketime: what the whole process, its threads and its PostgreSQL take for the time. */
const LIBRARY = ['x86_64-linux-gnu', 'aarch64-linux-gnu', '.']
  .map((folder) => `/usr/lib/${folder}/faketime/libfaketimeMT.so.1`)
  .find((path) => existsSync(path));
const slowBy = (minutes: number): Record<string, string> =>
  LIBRARY === undefined ? {} : { LD_PRELOAD: LIBRARY, FAKETIME: `-${minutes}m`, FAKETIME_DONT_FAKE_MONOTONIC: '1' };

const Trail = z.object({
  auditTrail: z.object({ edges: z.array(z.object({ node: z.object({ summary: z.string() }) })) }),
});

let servers: ServerUnderTest[] = [];
afterEach(async () => {
  await Promise.all(servers.map((server) => server.dispose()));
  servers = [];
});

itWith('libfaketime', LIBRARY !== undefined, true)(
  'clocks 10 minutes apart: the calls are refused with the difference, nothing is lost, and all goes on when they agree',
  { timeout: 300_000 },
  async () => {
    const [a, b] = [new ServerUnderTest('a'), new ServerUnderTest('b')];
    servers = [a, b];
    await Promise.all([a.start(), b.start()]);
    await registerPeers(await a.client(), await b.client());
    await b.stop();
    const slow = new ServerUnderTest('b', slowBy(10), b.dataDir);
    slow.port = b.port;
    servers = [a, slow];
    await slow.start();

    const [there, here] = [randomBytes(3_000_000), randomBytes(3_000_001)];
    expect((await a.put('of-a.pkg', there)).status).toBe(201);
    expect((await slow.put('of-b.pkg', here)).status).toBe(201);
    await waitFor('the audit trail of A to tell by how much', async () => {
      const query = '{ auditTrail(first: 20, filter: { kinds: ["PeerCallRefused"] }) { edges { node { summary } } } }';
      const { auditTrail } = await (await a.client()).ask(query, Trail);
      return auditTrail.edges.some(({ node }) => /clock off by (59\d|60\d) s/.test(node.summary));
    });
    expect((await slow.download('of-a.pkg')).status).toBe(404);

    await slow.stop();
    const right = new ServerUnderTest('b', {}, b.dataDir);
    right.port = b.port;
    servers = [a, right];
    await right.start();
    for (const server of servers) {
      await waitFor(
        `both on ${server.name}`,
        async () => {
          return (
            (await server.servedDigest('of-a.pkg')) === sha256(there) &&
            (await server.servedDigest('of-b.pkg')) === sha256(here)
          );
        },
        120_000,
      );
    }
  },
);
