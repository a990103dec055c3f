import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StartupError } from '../../kernel/errors.js';
import { createKeyFile, readKeyFile } from './secret-keys.js';
import { SecretBox } from './secret-box.js';

describe('SecretBox', () => {
  const box = new SecretBox(randomBytes(32));
  const secret = Buffer.from('a private key');

  it('opens what it sealed, and seals anew each time', () => {
    expect(box.open('key', box.seal('key', secret))).toEqual(secret);
    expect(box.seal('key', secret)).not.toEqual(box.seal('key', secret));
  });

  it('opens nothing with another key or under another name', () => {
    const sealed = box.seal('key', secret);
    expect(() => new SecretBox(randomBytes(32)).open('key', sealed)).toThrow('authenticate');
    expect(() => box.open('other', sealed)).toThrow('authenticate');
  });

  it('notices each changed byte', () => {
    const sealed = box.seal('key', secret);
    for (let i = 0; i < sealed.length; i++) {
      const changed = Buffer.from(sealed);
      changed[i] = (changed[i] ?? 0) ^ 1;
      expect(() => box.open('key', changed), `byte ${i}`).toThrow(/authenticate|was encrypted in a format/);
    }
  });
});

describe('key file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'odst-key-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('is made once, for its owner only', async () => {
    const path = join(folder, 'new', 'secret.key');
    expect(await readKeyFile(path)).toBeNull();
    const keys = await Promise.all(Array.from({ length: 5 }, () => createKeyFile(path)));
    expect(new Set(keys.map(String)).size).toBe(1);
    expect(await readKeyFile(path)).toEqual(keys[0]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(folder, 'new'))).toEqual(['secret.key']);
  });

  it('is refused when it holds no key', async () => {
    const path = join(folder, 'broken.key');
    await writeFile(path, 'nonsense');
    await expect(readKeyFile(path)).rejects.toThrow(StartupError);
  });
});
