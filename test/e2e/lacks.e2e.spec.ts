import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { runningSettings } from '../../src/adapters/database/embedded/embedded-database.js';
import { itWith } from '../support/programs.js';
import { PASSWORD, ServerUnderTest, sha256 } from '../support/server-under-test.js';
import { waitFor } from '../support/wait-for.js';

const MIB = 1024 * 1024;
const Uploaded = z.object({ id: z.string() });
const Answer = z.object({
  errors: z.array(z.object({ message: z.string(), extensions: z.object({ code: z.string() }) })).optional(),
});
const Ready = z.object({ status: z.string(), reasons: z.array(z.string()).optional() });

let server: ServerUnderTest;
let id: string;
const bytes = randomBytes(8 * MIB);
beforeAll(async () => {
  server = await new ServerUnderTest('lacks').start();
  ({ id } = Uploaded.parse(await (await server.put('held.pkg', bytes)).json()));
});
afterAll(() => server.dispose());

async function ready(): Promise<{ status: number; reasons: string }> {
  const response = await fetch(`${server.url}/health/ready`);
  return { status: response.status, reasons: (Ready.parse(await response.json()).reasons ?? []).join(' ') };
}

async function ask(query: string): Promise<readonly { message: string; extensions: { code: string } }[]> {
  const { token } = await server.client();
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const response = await fetch(`${server.url}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query }) });
  return Answer.parse(await response.json()).errors ?? [];
}

/** Changes a setting of the server's own PostgreSQL, also while that is read-only. */
async function setPostgres(change: string): Promise<void> {
  const settings = await runningSettings(server.dataDir);
  if (!settings) throw new Error('PostgreSQL does not run');
  const client = new Client({ ...settings, options: '-c default_transaction_read_only=off' });
  await client.connect();
  try {
    await client.query(`ALTER SYSTEM ${change}`);
    await client.query('SELECT pg_reload_conf()');
  } finally {
    await client.end();
  }
}

describe('while the database is read-only', () => {
  const changes = (): Record<string, string> => ({
    signIn: `signIn(username: "admin", password: "${PASSWORD}") { token }`,
    createApiToken: 'createApiToken(name: "t", scopes: [upload]) { token }',
    createAccount: 'createAccount(username: "someone", roles: [auditor]) { oneTimePassword }',
    changePassword: `changePassword(current: "${PASSWORD}", new: "another horse battery")`,
    createDownloadUrl: `createDownloadUrl(packageId: "${id}") { url }`,
    verifyPackage: `verifyPackage(id: "${id}")`,
    setDownloadProtection: 'setDownloadProtection(mode: SIGNED) { __typename }',
    rotateServerKey: 'rotateServerKey { id }',
    setPackageStage: `setPackageStage(id: "${id}", stage: Test) { id }`,
    removePackage: `removePackage(id: "${id}") { id }`,
    createPeerInvitation: 'createPeerInvitation { token }',
    updateServer: 'updateServer(reachable: false) { id }',
  });

  beforeAll(async () => {
    await server.client();
    await setPostgres('SET default_transaction_read_only = on');
    await waitFor('the state to be seen', async () => (await ready()).status === 503);
  });
  afterAll(() => setPostgres('RESET default_transaction_read_only'));

  it('ready says it, and what is there is served', async () => {
    expect((await ready()).reasons).toContain('The database is read-only');
    expect(await server.servedDigest('held.pkg')).toBe(sha256(bytes));
  });

  it('every change is answered with 503, and says why', async () => {
    // Some wait for a while, as the state may pass.
    const answers = Object.entries(changes()).map(async ([name, field]) => {
      const [error] = await ask(`mutation { ${field} }`);
      return [name, error?.extensions.code, error?.message];
    });
    const uploading = server.put('new.pkg', randomBytes(10));
    const words = expect.stringContaining('read-only');
    expect(await Promise.all(answers)).toEqual(Object.keys(changes()).map((name) => [name, 'UNAVAILABLE', words]));
    const upload = await uploading;
    expect([upload.status, await upload.json()]).toEqual([503, { code: 'UNAVAILABLE', message: words }]);
  });

  it('a start waits and says so, and goes on by itself', async () => {
    await server.stop();
    const starting = server.start();
    await waitFor('the word', () => /Waiting for the database[^"]*read-only/.test(server.output));
    await setPostgres('RESET default_transaction_read_only');
    await starting;
    expect(await ready()).toEqual({ status: 200, reasons: '' });
    expect((await server.put('new.pkg', randomBytes(10))).status).toBe(201);
  });
});

const LIMIT = 256;
const hasPrlimit = spawnSync('prlimit', ['--version'], { stdio: 'ignore' }).status === 0;

itWith('prlimit', hasPrlimit, false)(
  'with more slow downloads than files may be open, further requests are answered with 503 and Retry-After',
  { timeout: 300_000 },
  async () => {
    await server.stop();
    server.starter = ['prlimit', `--nofile=${LIMIT}:${LIMIT}`];
    await server.start();
    expect(server.output).toContain(`This process may open only ${LIMIT} files`);
    const slow: IncomingMessage[] = [];
    while (slow.length < 300)
      slow.push(...(await Promise.all(Array.from({ length: 10 }, () => startSlowly('/Packages/held.pkg')))));
    const answers = slow.map(({ statusCode, headers }) => `${statusCode} ${headers['retry-after']}`);
    expect(new Set(answers)).toEqual(new Set(['200 undefined', '503 5']));
    expect(await ready()).toEqual({ status: 503, reasons: expect.stringMatching(/too many files and connections/) });
    expect(server.output.match(/The server has too many files/g)).toHaveLength(1);
    for (const response of slow) response.destroy();
    const again = await waitFor('the recovery', async () => {
      const response = await startSlowly('/Packages/held.pkg');
      return response.statusCode === 200 && response;
    });
    again.destroy();
  },
);

/** Begins a download on a connection of its own, and reads nothing of it. */
async function startSlowly(path: string): Promise<IncomingMessage> {
  const asked = get(`${server.url}${path}`, { agent: false });
  const [response] = await once(asked, 'response');
  return response.on('error', () => undefined).pause();
}
