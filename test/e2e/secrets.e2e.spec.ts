import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { runningSettings } from '../../src/adapters/database/embedded/embedded-database.js';
import { registerPeers } from '../../src/cli/demo/demo-steps.js';
import { SecretBox } from '../../src/platform/secrets/secret-box.js';
import { formsOf } from '../support/secrets.js';
import { PASSWORD, ServerUnderTest, sha256 } from '../support/server-under-test.js';
import { dumpTables } from '../support/table-dump.js';
import { waitFor } from '../support/wait-for.js';

const ROTATE = fileURLToPath(new URL('../../dist/src/cli/admin/rotate-secrets.js', import.meta.url));
const anything = z.record(z.string(), z.unknown());

async function settingsOf(server: ServerUnderTest) {
  const settings = await runningSettings(server.dataDir);
  if (!settings) throw new Error(`The database of ${server.name} does not run`);
  return settings;
}

/** The secrets that the database keeps encrypted. */
async function decrypted(server: ServerUnderTest): Promise<Buffer[]> {
  const box = new SecretBox(Buffer.from(readFileSync(join(server.dataDir, 'secret.key'), 'utf8').trim(), 'hex'));
  const client = new Client(await settingsOf(server));
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string; ciphertext: Buffer }>(
      'SELECT name, ciphertext FROM state.server_secrets',
    );
    return rows.map(({ name, ciphertext }) => box.open(name, ciphertext));
  } finally {
    await client.end();
  }
}

describe('the secrets of a server', () => {
  let a: ServerUnderTest;
  let b: ServerUnderTest;
  const secrets: string[] = [PASSWORD];

  beforeAll(async () => {
    [a, b] = [new ServerUnderTest('a'), new ServerUnderTest('b')];
    await Promise.all([a.start(), b.start()]);
    await registerPeers(await b.client(), await a.client());
  });
  afterAll(() => Promise.all([a, b].map((server) => server.dispose())));

  const ask = async (query: string) => JSON.stringify(await (await a.client()).ask(query, anything));
  const replicates = async (filename: string): Promise<void> => {
    const bytes = randomBytes(5_000);
    await a.put(filename, bytes);
    await waitFor('the copy', async () => (await b.servedDigest(filename)) === sha256(bytes));
  };

  it('are put under another key while it runs, and it goes on, also after a restart', async () => {
    const key = () => readFileSync(join(a.dataDir, 'secret.key'), 'utf8').trim();
    const before = key();
    const done = await promisify(execFile)(process.execPath, [ROTATE], {
      env: { ...process.env, ODST_DATA_DIR: a.dataDir },
    });
    expect(done.stderr).toMatch(/secrets are encrypted under the key [0-9a-f]{16} now/);
    expect(key()).not.toBe(before);
    expect(statSync(join(a.dataDir, 'secret.key')).mode & 0o777).toBe(0o600);
    secrets.push(before, key());
    await ask('mutation { rotateServerKey { id } }');
    await replicates('first.pkg');
    await a.stop();
    await a.start();
    await replicates('second.pkg');
    expect(
      await ask('{ auditTrail(first: 5, filter: { kinds: ["EncryptionKeyRotated"] }) { edges { node { summary } } } }'),
    ).toContain('under another key');
  });

  it('are in no log, event, read model or answer', async () => {
    const { token } = await a.client();
    const told = [
      await ask('mutation { createPeerInvitation { token } }'),
      await ask('mutation { setDownloadProtection(mode: BASIC, username: "munki") { generatedPassword } }'),
      await ask('mutation { createApiToken(name: "ci", scopes: [read]) { token } }').catch(() => '"x"'),
    ].flatMap((answer) => [...answer.matchAll(/"([A-Za-z0-9_.~-]{20,})"/g)].map((match) => match[1] ?? ''));
    secrets.push(token, ...told, ...(await decrypted(a)).flatMap((secret) => privateParts(secret)));
    // What is refused is put on record and told, too.
    await fetch(`${a.url}/Packages/first.pkg`, {
      headers: { authorization: `Basic ${Buffer.from(`munki:${token}`).toString('base64')}` },
    });
    const wrong = {
      query: 'mutation ($p: String!) { signIn(username: "admin", password: $p) { token } }',
      variables: { p: `${PASSWORD}!` },
    };
    const refused = await fetch(`${a.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(wrong),
    });
    const settings = await settingsOf(a);
    const tables = await Promise.all(['log', 'read', 'state', 'audit'].map((schema) => dumpTables(settings, schema)));
    const exported = await fetch(`${a.url}/api/audit/export`, { headers: { authorization: `Bearer ${token}` } });
    const written = [
      a.output,
      b.output,
      await exported.text(),
      await refused.text(),
      JSON.stringify(tables),
      await ask('{ server { id name url publicKey } downloadProtection { mode username } }'),
    ].join('\n');
    expect(secrets.length).toBeGreaterThan(8);
    const leaked = secrets.flatMap(formsOf).filter((form) => written.includes(form));
    // What stands before it tells where it was written, without telling it once more.
    expect(leaked.map((form) => written.slice(written.indexOf(form) - 150, written.indexOf(form)))).toEqual([]);
  });
});

/** Of a key pair only the private half is a secret. */
function privateParts(secret: Buffer): string[] {
  const parsed = z.object({ privateKey: z.string() }).safeParse(parsedOrNull(secret.toString('utf8')));
  return parsed.success ? [parsed.data.privateKey] : [secret.toString('base64url')];
}

function parsedOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
