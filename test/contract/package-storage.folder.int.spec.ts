import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FolderPackageStorage } from '../../src/adapters/package-storage/folder/folder-package-storage.js';
import { packageStorageContract, type StorageEngine } from './package-storage.contract.js';
import { unclaimedFilesContract } from './unclaimed-files.contract.js';

const start = async (): Promise<StorageEngine> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'odst-storage-'));
  return {
    open: () => FolderPackageStorage.openFolder(dataDir),
    damage: (packageId, bytes) => writeFile(join(dataDir, 'packages', packageId), bytes),
    countStaged: async () => {
      const entries = await readdir(join(dataDir, 'staging'), { withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).length;
    },
    dispose: () => rm(dataDir, { recursive: true, force: true }),
  };
};

packageStorageContract('in a folder', start);
unclaimedFilesContract('in a folder', start);
