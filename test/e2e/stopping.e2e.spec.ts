import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findFreePort } from '../../src/cli/demo/server-process.js';
import { ServerUnderTest, sha256 } from '../support/server-under-test.js';
import { waitFor } from '../support/wait-for.js';

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

const parentOf = (pid: string): number | null => {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1]);
  } catch {
    return null;
  }
};

/** A process and all processes below it, the topmost one first. */
function chainBelow(pid: number): number[] {
  const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === pid);
  return [pid, ...children.flatMap((name) => chainBelow(Number(name)))];
}

describe.skipIf(!existsSync('/proc/self/stat'))('npm start', () => {
  let dataDir: string;
  let group = 0;
  beforeEach(() => (dataDir = mkdtempSync(join(tmpdir(), 'odst-npm-'))));
  afterEach(() => {
    if (isAlive(-group)) process.kill(-group, 'SIGKILL');
    rmSync(dataDir, { recursive: true, force: true });
  });

  // SIGINT is what a terminal sends to all of them. npm itself ignores it and waits for the server.
  it.each([
    ['SIGTERM', 'npm'],
    ['SIGINT', 'all'],
    ['SIGHUP', 'npm'],
    ['SIGKILL', 'npm'],
    ['SIGHUP', 'the server'],
  ] as const)('stops with its database after %s to %s', async (signal, target) => {
    const port = await findFreePort(0);
    const env = { ...process.env, PORT: String(port), ODST_DATA_DIR: dataDir };
    const npm = spawn('npm', ['start'], { env, stdio: 'ignore', detached: true });
    const ended = once(npm, 'exit');
    await waitFor('the server', async () => (await fetch(`http://127.0.0.1:${port}/health/ready`)).ok, 120_000);
    const chain = chainBelow(npm.pid ?? 0);
    const postmaster = Number(readFileSync(join(dataDir, 'postgres/data/postmaster.pid'), 'utf8').split('\n')[0]);
    const server = parentOf(String(postmaster)) ?? 0;
    expect(chain).toContain(server);
    group = npm.pid ?? 0;
    process.kill({ npm: group, all: -group, 'the server': server }[target], signal);
    await ended;
    await waitFor('the end of all processes', () => ![server, postmaster].some(isAlive), 30_000);
    expect(existsSync(join(dataDir, 'postgres/data/postmaster.pid'))).toBe(false);
    expect(readdirSync(join(dataDir, 'in-use'))).toEqual([]);
  });
});

describe('a stop', () => {
  let server: ServerUnderTest;
  afterEach(() => server.dispose());

  it('gives slow clients the time that is set, says what it waits for, and loses nothing', async () => {
    server = await new ServerUnderTest('slow', { ODST_STOP_GRACE: '1s' }).start();
    const bytes = randomBytes(30_000_000);
    expect((await server.put('big.pkg', bytes)).status).toBe(201);
    const slow = request(`${server.url}/Packages/big.pkg`).on('error', () => undefined);
    slow.end();
    const [response] = await once(slow, 'response');
    response.on('error', () => undefined).pause();
    const before = Date.now();
    await server.stop();
    // Well below the ten seconds after which a container is killed, also on a busy machine.
    expect(Date.now() - before).toBeLessThan(10_000);
    expect(server.output).toContain('Stopping (SIGTERM)');
    expect(server.output).toMatch(/Waiting at most 1000 ms for \d+ connections with requests in progress/);
    expect(server.output).toMatch(/Closing \d+ connections whose requests have not ended in time/);
    expect(server.output).toContain('"Stopped"');
    await server.start();
    expect(await server.servedDigest('big.pkg')).toBe(sha256(bytes));
  });

  it('begins once, however many processes of a chain are told', async () => {
    server = await new ServerUnderTest('twice').start();
    const { pid } = server;
    for (const signal of ['SIGTERM', 'SIGHUP', 'SIGTERM', 'SIGINT'] as const) process.kill(pid, signal);
    await waitFor('the end', () => !server.isRunning);
    expect(server.output).toContain('"Stopped"');
  });
});
