import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OpenStorage, readBytes, storeBytes, type StorageEngine, TICK_MS } from './package-storage.contract.js';

const MIB = 1024 * 1024;
const contentOf = (bytes: Buffer) => ({ size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });
const NOTHING = { packages: new Set<string>(), replicas: new Set<string>() };

/** What every package storage does with files that nothing claims. */
export function unclaimedFilesContract(name: string, start: () => Promise<StorageEngine>): void {
  describe(`unclaimed files: ${name}`, () => {
    let engine: StorageEngine;
    let storage: OpenStorage;
    beforeEach(async () => {
      engine = await start();
      storage = await engine.open();
    });
    afterEach(async () => {
      await storage.close();
      await engine.dispose();
    });
    const restart = async (): Promise<void> => {
      await storage.close();
      await delay(TICK_MS);
      storage = await engine.open();
    };
    const storedBytes = async (packageId: string): Promise<Buffer | null> => {
      const file = await storage.openStored(packageId);
      return file && readBytes(file).finally(() => file.close());
    };
    const sweptAside = async (id: string, bytes: Buffer): Promise<void> => {
      await storeBytes(storage, id, bytes);
      await restart();
      await storage.sweepUnwanted(NOTHING);
      expect(await storage.openStored(id)).toBeNull();
    };

    it('keeps unclaimed files, which come back when their package is known and only whole', async () => {
      const bytes = randomBytes(MIB + 3);
      await sweptAside('p-1', bytes);
      expect(await storage.hasCandidate('p-1')).toBe(true);
      expect(await storage.reclaim('p-1', contentOf(randomBytes(MIB + 3)))).toBe(false);
      expect(await storage.reclaim('p-1', contentOf(randomBytes(3)))).toBe(false);
      expect(await storage.reclaim('p-2', contentOf(bytes))).toBe(false);
      await restart();
      expect(await storage.reclaim('p-1', contentOf(bytes))).toBe(true);
      expect(await storage.reclaim('p-1', contentOf(bytes))).toBe(true);
      expect((await storedBytes('p-1'))?.equals(bytes)).toBe(true);
      expect(await storage.unclaimed.list()).toEqual([]);
    });

    it('finds the whole one of several unclaimed files of a package, and drops its copies', async () => {
      const bytes = randomBytes(100);
      await sweptAside('p-1', Buffer.alloc(100));
      await sweptAside('p-1', bytes);
      await sweptAside('p-1', bytes);
      expect(await storage.unclaimed.list()).toHaveLength(3);
      expect(await storage.reclaim('p-1', contentOf(bytes))).toBe(true);
      expect((await storedBytes('p-1'))?.equals(bytes)).toBe(true);
      expect(await storage.unclaimed.list()).toHaveLength(1);
    });

    it('deletes unclaimed files by their names only, and remembers what was announced', async () => {
      for (const id of ['p-1', 'p-2']) await storeBytes(storage, id, Buffer.from(id));
      await restart();
      await storage.sweepUnwanted(NOTHING);
      const files = await storage.unclaimed.list();
      expect(files.map(({ announcedAt }) => announcedAt)).toEqual([null, null]);
      await storage.unclaimed.noteAnnounced(files.map(({ name }) => name));
      await restart();
      expect((await storage.unclaimed.list()).map((file) => file.announcedAt)).toEqual([
        expect.any(Date),
        expect.any(Date),
      ]);
      const [one] = files;
      await storage.unclaimed.remove([one?.name ?? '', one?.name ?? '', '../p-2', 'packages/../p-2', 'x']);
      expect((await storage.unclaimed.list()).map(({ name }) => name)).toEqual([files[1]?.name]);
    });
  });
}
