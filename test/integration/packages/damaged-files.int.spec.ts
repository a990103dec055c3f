import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FolderPackageStorage } from '../../../src/adapters/package-storage/folder/folder-package-storage.js';
import { waitFor } from '../../support/wait-for.js';

const MIB = 1024 * 1024;

let dataDir: string;
let storage: FolderPackageStorage;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'ods-damage-'));
  storage = await FolderPackageStorage.in(dataDir);
});
afterEach(async () => {
  await storage.close();
  await rm(dataDir, { recursive: true, force: true });
});
const staging = (): Promise<string[]> => readdir(join(dataDir, 'staging'));

describe('a published file', () => {
  const bytes = randomBytes(5 * MIB + 10);
  const digests = Buffer.concat(
    Array.from({ length: 6 }, (_, i) =>
      createHash('sha256')
        .update(bytes.subarray(i * MIB, (i + 1) * MIB))
        .digest(),
    ),
  );
  const content = { size: bytes.length, sha256: digests };
  const atOnce = async (): Promise<void> => undefined;
  const file = () => join(dataDir, 'packages', 'p-1');
  beforeEach(async () => {
    await storage.publish((await storage.receive(Readable.from([bytes]))).path, 'p-1');
  });
  const flip = async (...chunks: number[]): Promise<void> => {
    const changed = Buffer.from(bytes);
    for (const chunk of chunks) changed.writeUInt8(changed.readUInt8(chunk * MIB) ^ 1, chunk * MIB);
    await writeFile(file(), changed);
  };

  it('is examined chunk by chunk, at the pace that is wanted', async () => {
    const asked: number[] = [];
    expect(await storage.examine('p-1', content, async (count) => void asked.push(count))).toBeNull();
    expect(asked).toEqual([4 * MIB, MIB + 10]);
    await flip(1, 5);
    expect(await storage.examine('p-1', content, atOnce)).toEqual({
      lost: [
        { first: 1, count: 1 },
        { first: 5, count: 1 },
      ],
      missing: false,
    });
    await writeFile(file(), bytes.subarray(0, 4 * MIB + 7));
    expect(await storage.examine('p-1', content, atOnce)).toEqual({ lost: [{ first: 4, count: 2 }], missing: false });
    await writeFile(file(), Buffer.concat([bytes, Buffer.alloc(1)]));
    expect(await storage.examine('p-1', content, atOnce)).toEqual({ lost: [{ first: 5, count: 1 }], missing: false });
    await storage.remove('p-1');
    expect(await storage.examine('p-1', content, atOnce)).toEqual({ lost: [{ first: 0, count: 6 }], missing: true });
    const stop = new Error('stop');
    await storage.publish((await storage.receive(Readable.from([bytes]))).path, 'p-1');
    await expect(storage.examine('p-1', content, () => Promise.reject(stop))).rejects.toBe(stop);
  });

  it('that is taken out cannot be opened, and becomes the file that is mended', async () => {
    await flip(2);
    (await storage.open('p-1'))?.close();
    await storage.quarantine('p-1');
    await storage.quarantine('p-1');
    expect(await storage.open('p-1')).toBeNull();
    expect(await storage.examine('p-1', content, atOnce)).toMatchObject({ lost: [{ first: 2, count: 1 }] });
    const path = await storage.reserve('p-1', bytes.length);
    expect(await storage.damagedChunks(path, digests)).toEqual([{ first: 2, count: 1 }]);
    expect(await staging()).toEqual(['replica-p-1']);
    await storage.discardReplicaFile('p-1');
  });

  it('that was taken out goes back when it is still wanted as it is, and stays when it is being mended', async () => {
    await storage.quarantine('p-1');
    await storage.sweep({ packages: new Set(), replicas: new Set(['p-1']) });
    expect(await staging()).toEqual(['damaged-p-1']);
    await storage.sweep({ packages: new Set(['p-1']), replicas: new Set() });
    expect(await staging()).toEqual([]);
    expect(await storage.published()).toContain('p-1');
    await storage.quarantine('p-1');
    await storage.restore('p-1');
    expect(await storage.digestPublished('p-1')).toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  it('that another process takes away is noticed soon', async () => {
    (await storage.open('p-1'))?.close();
    const other = await FolderPackageStorage.in(dataDir);
    await other.quarantine('p-1');
    await other.close();
    await waitFor('it to be gone here', async () => (await storage.open('p-1')) === null);
  });
});
