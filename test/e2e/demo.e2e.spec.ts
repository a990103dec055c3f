import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';
import { waitFor } from '../support/wait-for.js';

const script = fileURLToPath(new URL('../../scripts/demo.mjs', import.meta.url));
let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'odst-demo-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 }));

const Result = z.object({
  verified: z.literal(true),
  package: z.object({
    filename: z.string(),
    size: z.number(),
    sha1: z.string().length(40),
    sha256: z.string().length(64),
  }),
  seconds: z.object({ upload: z.number(), replicate: z.number() }),
  servers: z.array(z.object({ url: z.string() })).length(2),
});

async function demo(size: number, env: Record<string, string> = {}) {
  const args = [script, '--once', '--size', String(size), '--data', dataDir];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...process.env, ...env } });
  return Result.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));
}

it('npm run demo -- --once replicates a package and says so as JSON, twice on the same data', async () => {
  for (const size of [5 * 1024 * 1024, 6 * 1024 * 1024]) {
    expect((await demo(size)).package.size).toBe(size);
  }
});

it('takes other ports than those of another program, and no settings that are meant for one server', async () => {
  const other = createServer((_request, response) => response.end('{}')).listen(8082);
  // Whoever has the port already serves as well.
  await Promise.race([once(other, 'listening'), once(other, 'error')]);
  const { servers } = await demo(1024, { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none', ODST_STAGE: 'Nonsense' });
  other.close();
  expect(servers.map(({ url }) => url)).not.toContain('http://127.0.0.1:8082');
});

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

it('Ctrl-C while the servers start ends them, too', async () => {
  const child = spawn(process.execPath, [script, '--once', '--data', dataDir], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  const pidFile = join(dataDir, 'server-a/postgres/data/postmaster.pid');
  await waitFor('a database to run', () => existsSync(pidFile) && readFileSync(pidFile, 'utf8').includes('\n'));
  const postmaster = Number(readFileSync(pidFile, 'utf8').split('\n')[0]);
  child.kill('SIGINT');
  expect(await ended).toEqual([130, null]);
  await waitFor('the database to end', () => !isRunning(postmaster));
});
