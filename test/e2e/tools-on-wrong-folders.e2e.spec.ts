import { spawnSync } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServerUnderTest } from '../support/server-under-test.js';

const TOOLS = ['admin/reset-admin', 'admin/rotate-secrets', 'admin/rebuild', 'verify-audit/verify-audit'];

function runTool(tool: string, env: Readonly<Record<string, string>>) {
  const { DATABASE_URL: _, ...inherited } = process.env;
  const all = { ...inherited, ...env };
  return spawnSync(process.execPath, [`dist/src/cli/${tool}.js`], { env: all, encoding: 'utf8' });
}

let server: ServerUnderTest;
beforeAll(async () => (server = await new ServerUnderTest('tooled').start()));
afterAll(() => server.dispose());

describe.each(TOOLS)('%s', (tool) => {
  it('makes no database in a folder without a server', () => {
    const folder = mkdtempSync(join(tmpdir(), 'odst-wrong-'));
    const { status, stderr } = runTool(tool, { ODST_DATA_DIR: folder });
    expect(stderr).toMatch(/There is no server in the data folder .* Nothing was changed/);
    expect(status).not.toBe(0);
    expect(readdirSync(folder)).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  it('says on which server it works', () => {
    const { status, stderr } = runTool(tool, { ODST_DATA_DIR: server.dataDir });
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(stderr).toMatch(/^Server tooled \([0-9a-f-]{36}\), data folder .*, database the embedded PostgreSQL in /);
  });
});

describe.skipIf(process.getuid?.() !== 0)('a tool that root runs', () => {
  it('leaves the files of the server to their owner', async () => {
    await server.stop();
    const [uid, gid] = [4_321, 4_321];
    for (const name of readdirSync(server.dataDir, { recursive: true, encoding: 'utf8' }))
      chownSync(join(server.dataDir, name), uid, gid);
    chownSync(server.dataDir, uid, gid);
    const { status, stderr } = runTool('admin/rotate-secrets', { ODST_DATA_DIR: server.dataDir });
    expect({ status, stderr }).toMatchObject({ status: 0 });
    const owners = readdirSync(server.dataDir, { recursive: true, encoding: 'utf8' }).map(
      (name) => statSync(join(server.dataDir, name)).uid,
    );
    expect(new Set(owners)).toEqual(new Set([uid]));
  });
});
