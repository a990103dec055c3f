import { randomBytes } from 'node:crypto';
import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Settings } from '../../../src/platform/runtime/settings.js';
import { createKeyFile, nextKeyFile, promoteNextKey } from '../../../src/platform/secrets/secret-keys.js';
import { rotateSecrets } from '../../../src/platform/secrets/rotate-secrets.js';
import { SecretBox } from '../../../src/platform/secrets/secret-box.js';
import { ServerSecrets } from '../../../src/platform/secrets/server-secrets.js';
import { ServerHome } from '../../support/trusted-server.js';

let home: ServerHome;
beforeEach(async () => {
  home = await ServerHome.create();
});
afterEach(() => home.remove());

const secrets = (change: Partial<Settings> = {}) => new ServerSecrets(home.dataSource, home.settings(change));
const text = async (of: ServerSecrets, name: string) => (await of.find(name))?.toString();
const stored = Buffer.from('a private key');

describe('secrets at rest', () => {
  it('are encrypted under a key that is made for the owner of the data folder only', async () => {
    await secrets().findOrStore('one', stored);
    const rows: { ciphertext: Buffer }[] = await home.dataSource.query('SELECT ciphertext FROM state.server_secrets');
    expect(rows[0]?.ciphertext.includes(stored)).toBe(false);
    expect(await text(secrets(), 'one')).toBe('a private key');
  });

  it('are found by processes that ran before and after they were put under another key', async () => {
    const before = secrets();
    await before.findOrStore('one', stored);
    const oldKey = await readFile(join(home.dataDir, 'secret.key'), 'utf8');
    const next = new SecretBox(await createKeyFile(nextKeyFile(home.settings())));
    expect(await rotateSecrets(home.dataSource, home.settings(), next)).toBe(1);
    await promoteNextKey(home.settings());
    expect(await text(before, 'one')).toBe('a private key');
    await before.findOrStore('two', Buffer.from('another'));
    expect(await Promise.all(['one', 'two'].map((name) => text(secrets(), name)))).toEqual([
      'a private key',
      'another',
    ]);
    await writeFile(join(home.dataDir, 'secret.key'), oldKey);
    await expect(secrets().find('one')).rejects.toThrow(/is not the key with which they were encrypted/);
  });

  it('are not lost by a crash before or after the database has them under the new key', async () => {
    await secrets().findOrStore('one', stored);
    const next = new SecretBox(await createKeyFile(nextKeyFile(home.settings())));
    expect(await text(secrets(), 'one')).toBe('a private key');
    await rotateSecrets(home.dataSource, home.settings(), next);
    expect(await text(secrets(), 'one')).toBe('a private key');
    await expect(access(nextKeyFile(home.settings()))).rejects.toThrow('ENOENT');
    expect(
      new SecretBox(Buffer.from((await readFile(join(home.dataDir, 'secret.key'), 'utf8')).trim(), 'hex')).keyId,
    ).toBe(next.keyId);
  });

  it('are never stored under a key that was replaced: a process that has it from its environment must be started again', async () => {
    const [oldKey, newKey] = [randomBytes(32), randomBytes(32)];
    const stale = secrets({ secretKey: oldKey });
    await stale.findOrStore('one', stored);
    await rotateSecrets(home.dataSource, home.settings({ secretKey: oldKey }), new SecretBox(newKey));
    await expect(stale.findOrStore('two', stored)).rejects.toThrow(/ODST_SECRET_KEY is not the key/);
    expect(await text(secrets({ secretKey: newKey }), 'one')).toBe('a private key');
    expect(await text(secrets({ secretKey: newKey }), 'two')).toBeUndefined();
  });

  it('of the time before key ids were noted are read, and put under another key', async () => {
    await secrets().findOrStore('one', stored);
    await home.dataSource.query('UPDATE state.server_secrets SET key_id = NULL');
    expect(await text(secrets(), 'one')).toBe('a private key');
    const next = new SecretBox(await createKeyFile(nextKeyFile(home.settings())));
    expect(await rotateSecrets(home.dataSource, home.settings(), next)).toBe(1);
    expect(await text(secrets(), 'one')).toBe('a private key');
  });

  it('are left as they are by a rotation that can not read them', async () => {
    await secrets().findOrStore('one', stored);
    const wrong = home.settings({ secretKey: randomBytes(32) });
    await expect(rotateSecrets(home.dataSource, wrong, new SecretBox(randomBytes(32)))).rejects.toThrow(
      /is not the key/,
    );
    expect(await text(secrets(), 'one')).toBe('a private key');
  });
});
