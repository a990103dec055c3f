import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FolderPackageStorage } from '../../../src/adapters/package-storage/folder/folder-package-storage.js';
import { StorageMissing } from '../../../src/ports/package-storage.port.js';

const SERVER = '0195bb2c-0000-7000-8000-000000000001';
const HELD = new Set(['p-1', 'p-2']);

let dataDir: string;
let storage: FolderPackageStorage;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'odst-place-'));
  storage = await FolderPackageStorage.openFolder(dataDir);
});
afterEach(async () => {
  await storage.close();
  await rm(dataDir, { recursive: true, force: true });
});

const packages = (...names: string[]): string => join(dataDir, 'packages', ...names);
const publish = async (id: string, bytes: Buffer): Promise<void> => {
  const upload = await storage.beginUpload(bytes.length);
  await upload.append(0, Readable.from([bytes]));
  await upload.finish();
  await upload.publish(id);
};

/** The volume of the packages is away, and its mount point is empty. */
const unmount = async (): Promise<void> => {
  await rename(packages(), join(dataDir, 'volume'));
  await mkdir(packages());
};
const mount = async (): Promise<void> => {
  await rm(packages(), { recursive: true });
  await rename(join(dataDir, 'volume'), packages());
};

describe('the folder of packages', () => {
  it('is marked at the first start, and recognised by the mark', async () => {
    await storage.claimPlace(SERVER, new Set());
    expect(await readFile(packages('.server-id'), 'utf8')).toBe(`${SERVER}\n`);
    expect(await storage.listStored()).toEqual(new Set());
    await storage.claimPlace(SERVER, HELD);
  });

  it('of an earlier version is marked when it has a file of any held package', async () => {
    await publish('p-2', Buffer.from('bytes'));
    await storage.claimPlace(SERVER, HELD);
    expect(await readdir(packages())).toContain('.server-id');
  });

  it.each([
    ['is empty', async () => undefined],
    ['is an empty volume', () => mkdir(packages('lost+found'))],
    ['holds other packages', () => writeFile(packages('p-3'), 'other')],
  ])('is refused when packages are recorded and it %s, until an administrator marks it', async (_what, prepare) => {
    await prepare();
    await expect(storage.claimPlace(SERVER, HELD)).rejects.toThrow(
      /records 2 packages, but .* If it is a volume, mount it/,
    );
    expect(await readdir(packages())).not.toContain('.server-id');
    await writeFile(packages('.server-id'), '');
    await storage.claimPlace(SERVER, HELD);
    expect(await readFile(packages('.server-id'), 'utf8')).toBe(`${SERVER}\n`);
  });

  it('of another server is refused', async () => {
    await writeFile(packages('.server-id'), 'another\n');
    await expect(storage.claimPlace(SERVER, new Set())).rejects.toThrow('belong to the server another');
  });

  it('that goes while the server runs makes no package look missing, and takes none', async () => {
    const bytes = randomBytes(1000);
    await publish('p-1', bytes);
    await storage.claimPlace(SERVER, HELD);
    const expected = { size: 1000, sha256: new Uint8Array(32) };
    await unmount();
    await expect(storage.findDamage('p-1', expected, async () => undefined)).rejects.toThrow(StorageMissing);
    await expect(publish('p-2', bytes)).rejects.toThrow(StorageMissing);
    expect(await readdir(packages())).toEqual([]);
    await mount();
    expect(await storage.findDamage('p-1', expected, async () => undefined)).toMatchObject({ missing: false });
    expect(await storage.findDamage('p-2', expected, async () => undefined)).toMatchObject({ missing: true });
  });

  it('keeps hidden files and folders that are not ours at a sweep', async () => {
    for (const name of ['.nfs0001', '.DS_Store']) await writeFile(packages(name), '');
    await mkdir(packages('lost+found'));
    await storage.claimPlace(SERVER, new Set());
    await storage.close();
    storage = await FolderPackageStorage.openFolder(dataDir);
    await storage.sweepUnwanted({ packages: new Set(), replicas: new Set() });
    expect((await readdir(packages())).toSorted()).toEqual(['.DS_Store', '.nfs0001', '.server-id', 'lost+found']);
  });
});
