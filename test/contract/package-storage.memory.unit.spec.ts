import { MemoryFiles, MemoryPackageStorage } from '../support/memory-package-storage.js';
import { packageStorageContract, type StorageEngine } from './package-storage.contract.js';
import { unclaimedFilesContract } from './unclaimed-files.contract.js';

const start = async (): Promise<StorageEngine> => {
  const files = new MemoryFiles();
  return {
    open: async () => new MemoryPackageStorage(files),
    damage: async (packageId, bytes) => {
      const file = files.packages.get(packageId);
      if (file) file.bytes = bytes;
    },
    countStaged: async () => files.uploads.size + files.replicas.size + files.quarantined.size,
    dispose: async () => undefined,
  };
};

packageStorageContract('in memory', start);
unclaimedFilesContract('in memory', start);
