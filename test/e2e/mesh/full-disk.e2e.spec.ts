import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { z } from 'zod';
import { registerPeers } from '../../../src/cli/demo/demo-steps.js';
import { itWith } from '../../support/programs.js';
import { stagedOn } from '../../support/real-mesh.js';
import { ServerUnderTest, sha256 } from '../../support/server-under-test.js';
import { waitFor } from '../../support/wait-for.js';

const MIB = 1024 * 1024;
const disk = mkdtempSync(join(tmpdir(), 'odst-disk-'));
/** Only root may mount; in a container not even root, unless it is allowed to. */
const isMounted =
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=400m,mode=755', 'tmpfs', disk], { stdio: 'ignore' }).status === 0;

const Delays = z.object({
  package: z
    .object({ replicas: z.array(z.object({ local: z.boolean(), delay: z.object({ code: z.string() }).nullable() })) })
    .nullable(),
});

let a: ServerUnderTest;
let b: ServerUnderTest;
beforeAll(async () => {
  if (!isMounted) return;
  a = new ServerUnderTest('a');
  b = new ServerUnderTest('b', {}, join(disk, 'data'));
  await Promise.all([a.start(), b.start()]);
  await registerPeers(await a.client(), await b.client());
});
afterAll(async () => {
  if (!isMounted) return rmSync(disk, { recursive: true });
  await Promise.all([a.dispose(), b.dispose()]);
  spawnSync('umount', [disk]);
  rmSync(disk, { recursive: true });
});

itWith('the right to mount a tmpfs', isMounted, false)(
  'a full disk on the receiver: said so, smaller packages go on, and the rest comes when there is room',
  { timeout: 300_000 },
  async () => {
    const filler = join(disk, 'filler');
    const big = randomBytes(100 * MIB);
    const small = randomBytes(1 * MIB);
    const free = Number(spawnSync('df', ['--output=avail', '-B1', disk], { encoding: 'utf8' }).stdout.split('\n')[1]);
    writeFileSync(filler, Buffer.alloc(free - 60 * MIB));
    const { id } = z.object({ id: z.string() }).parse(await (await a.put('big.pkg', big)).json());
    await waitFor('the full disk to be said', async () => {
      const query = 'query ($id: ID!) { package(id: $id) { replicas { local delay { code } } } }';
      const answer = await (await b.client()).ask(query, Delays, { id });
      return answer.package?.replicas.some(({ local, delay }) => local && delay?.code === 'INSUFFICIENT_STORAGE');
    });
    await a.put('small.pkg', small);
    await waitFor('the small one', async () => (await b.servedDigest('small.pkg')) === sha256(small));
    expect((await b.download('big.pkg')).status).toBe(404);

    rmSync(filler);
    await waitFor('the big one', async () => (await b.servedDigest('big.pkg')) === sha256(big), 120_000);
    await waitFor('nothing to be staged', () => stagedOn(b).length === 0);
  },
);

itWith('the right to mount a tmpfs', isMounted, false)(
  'a full disk of the database: said with its sizes wherever somebody looks, and once in the log',
  { timeout: 300_000 },
  async () => {
    const filler = join(disk, 'filler');
    spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=64k'], { stdio: 'ignore' });
    const words = /The disk of the database is full: \d+ bytes are needed and \d+ bytes are free in /;
    const change = { query: 'mutation { createApiToken(name: "t", scopes: [read]) { token } }' };
    const { token } = await b.client();
    const ask = async (): Promise<string> => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const body = JSON.stringify(change);
      return (await fetch(`${b.url}/graphql`, { method: 'POST', headers, body })).text();
    };
    const refusal = await waitFor('a refusal', async () => {
      const answers = await Promise.all(Array.from({ length: 20 }, ask));
      return answers.find((answer) => answer.includes('errors'));
    });
    expect(refusal).toMatch(words);
    expect(refusal).toContain('"UNAVAILABLE"');
    const ready = await fetch(`${b.url}/health/ready`);
    expect([ready.status, await ready.text()]).toEqual([503, expect.stringMatching(words)]);
    expect(b.output.match(new RegExp(words, 'g'))).toHaveLength(1);

    rmSync(filler);
    await waitFor('the recovery', async () => !(await ask()).includes('errors'), 120_000);
  },
);
