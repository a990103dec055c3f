import { randomBytes } from 'node:crypto';
import { accessSync, constants, mkdtempSync, statSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FolderPackageStorage } from '../../../src/adapters/package-storage/folder/folder-package-storage.js';

/** A folder on a volume of its own, which Linux keeps in memory. */
const MEMORY = '/dev/shm';

function isOtherVolume(): boolean {
  try {
    accessSync(MEMORY, constants.W_OK);
    const probe = mkdtempSync(join(tmpdir(), 'odst-probe-'));
    return statSync(MEMORY).dev !== statSync(probe).dev;
  } catch {
    return false;
  }
}

describe.skipIf(!isOtherVolume()).each(['packages', 'staging'])('with %s on a volume of its own', (folder) => {
  let dataDir: string;
  let volume: string;
  let storage: FolderPackageStorage;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'odst-volumes-'));
    volume = await mkdtemp(join(MEMORY, 'odst-volumes-'));
    await symlink(volume, join(dataDir, folder));
    storage = await FolderPackageStorage.openFolder(dataDir);
  });
  afterEach(async () => {
    await storage.close();
    await Promise.all([dataDir, volume].map((path) => rm(path, { recursive: true, force: true })));
  });

  const bytes = randomBytes(3_000_000);
  const files = async (name: string) => (await readdir(join(dataDir, name))).toSorted();
  const publish = async (): Promise<void> => {
    const upload = await storage.beginUpload();
    await upload.append(0, Readable.from([bytes]));
    await upload.finish();
    await upload.publish('p-1');
  };

  it('publishes uploads and replicas', async () => {
    await publish();
    expect((await readFile(join(dataDir, 'packages', 'p-1'))).equals(bytes)).toBe(true);
    const replica = await storage.reserveReplica('p-2', 10);
    await replica.writeVerified(0, Buffer.from('0123456789'));
    await replica.publish();
    expect(await readFile(join(dataDir, 'packages', 'p-2'), 'utf8')).toBe('0123456789');
    expect([await files('packages'), await files('staging')]).toEqual([['p-1', 'p-2'], []]);
  });

  it('repairs and removes packages', async () => {
    await publish();
    await storage.quarantine('p-1');
    expect([await files('packages'), await files('staging')]).toEqual([[], ['damaged-p-1']]);
    await storage.restore('p-1');
    expect([await files('packages'), await files('staging')]).toEqual([['p-1'], []]);
    await storage.removeStored('p-1', async () => false);
    expect(await files('packages')).toEqual(['p-1']);
    await storage.removeStored('p-1');
    expect([await files('packages'), await files('staging')]).toEqual([[], []]);
  });

  it('moves unclaimed files aside and takes them back', async () => {
    await publish();
    const size = bytes.length;
    const sha256 = (await storage.digestStored('p-1')) ?? '';
    await storage.quarantine('p-1');
    await storage.close();
    // The next process begins later than the last change, also by a clock that ticks slowly.
    const later = Date.now() + 60;
    while (Date.now() < later) await new Promise((resolve) => setImmediate(resolve));
    storage = await FolderPackageStorage.openFolder(dataDir);
    await storage.sweepUnwanted({ packages: new Set(), replicas: new Set() });
    expect((await storage.unclaimed.list()).map((file) => file.packageId)).toEqual(['p-1']);
    expect(await storage.reclaim('p-1', { size, sha256 })).toBe(true);
    expect((await readFile(join(dataDir, 'packages', 'p-1'))).equals(bytes)).toBe(true);
    expect([await files('packages'), await files('staging')]).toEqual([['p-1'], []]);
  });
});
