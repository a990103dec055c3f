import { createHash, randomBytes } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CHUNK_SIZE } from '../../src/kernel/chunk-ranges.js';
import {
  type ContentDigests,
  type PackageStorage,
  StorageFull,
  type StagedUpload,
  type StoredFile,
  WrongOffset,
} from '../../src/ports/package-storage.port.js';

export type OpenStorage = PackageStorage & { close(): Promise<void> };

/** An engine of package storage with files of its own. */
export interface StorageEngine {
  /** The storage as a process opens it; the next call is the process after a restart. */
  open(): Promise<OpenStorage>;
  /** Replaces the bytes of a stored package, as a failing disk does. */
  damage(packageId: string, bytes: Buffer): Promise<void>;
  /** Number of files that are neither stored packages nor anything else that has to be kept. */
  countStaged(): Promise<number>;
  dispose(): Promise<void>;
}

const MIB = 1024 * 1024;
/** More than file times of an engine may be behind. */
export const TICK_MS = 60;
const hash = (algorithm: string, bytes: Buffer): Buffer => createHash(algorithm).update(bytes).digest();
const hex = (algorithm: string, bytes: Buffer): string => hash(algorithm, bytes).toString('hex');
const hashChunks = (algorithm: string, bytes: Buffer): Buffer =>
  Buffer.concat(
    Array.from({ length: Math.ceil(bytes.length / CHUNK_SIZE) }, (_, i) =>
      hash(algorithm, bytes.subarray(i * CHUNK_SIZE, (i + 1) * CHUNK_SIZE)),
    ),
  );
const chunkOf = (bytes: Buffer, chunk: number): Buffer => bytes.subarray(chunk * CHUNK_SIZE, (chunk + 1) * CHUNK_SIZE);
const digestsOf = (bytes: Buffer): ContentDigests => ({
  size: bytes.length,
  sha1: hex('sha1', bytes),
  sha256: hex('sha256', bytes),
  chunks: { sha1: hashChunks('sha1', bytes), sha256: hashChunks('sha256', bytes) },
});

/** A stream that delivers bytes in parts of an odd size, as a network does. */
export const streamOf = (bytes: Buffer, size = 65_521): Readable =>
  Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    })(),
  );

/** Uploads all bytes in one part. */
export async function uploadBytes(storage: PackageStorage, bytes: Buffer): Promise<StagedUpload> {
  const upload = await storage.beginUpload(bytes.length);
  await upload.append(0, streamOf(bytes));
  await upload.finish();
  return upload;
}

/** Stores bytes as the file of a package. */
export async function storeBytes(storage: PackageStorage, packageId: string, bytes: Buffer): Promise<void> {
  await (await uploadBytes(storage, bytes)).publish(packageId);
}

/** All bytes of an open file. */
export async function readBytes(file: StoredFile): Promise<Buffer> {
  const into = Buffer.alloc(file.size + 1);
  let done = 0;
  for (let count = -1; count !== 0; done += count) count = await file.read(into, into.length - done, done);
  return into.subarray(0, done);
}

/** What every package storage must keep. */
export function packageStorageContract(name: string, start: () => Promise<StorageEngine>): void {
  describe(`package storage: ${name}`, () => {
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
    const replicaBytes = async (packageId: string): Promise<Buffer | null> => {
      const file = await storage.openReplica(packageId);
      return file && readBytes(file).finally(() => file.close());
    };

    describe('an upload', () => {
      it.each([0, 1, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, 5 * MIB + 12_345])(
        'of %i bytes is hashed and stored',
        async (size) => {
          const bytes = randomBytes(size);
          const upload = await storage.beginUpload(size);
          await upload.append(0, streamOf(bytes));
          expect(upload.size).toBe(size);
          expect(await upload.finish()).toEqual(digestsOf(bytes));
          const read: Uint8Array[] = [];
          for await (const part of upload.readBytes()) read.push(part);
          expect(Buffer.concat(read).equals(bytes)).toBe(true);
          expect(await storage.listStored()).toEqual(new Set());
          await upload.publish('p-1');
          expect((await storedBytes('p-1'))?.equals(bytes)).toBe(true);
          expect(await storage.digestStored('p-1')).toBe(hex('sha256', bytes));
          expect(await engine.countStaged()).toBe(0);
        },
      );

      it('can come in parts that end anywhere', async () => {
        const bytes = randomBytes(3 * MIB + 17);
        const upload = await storage.beginUpload();
        const ends = [0, 1, 300_000, CHUNK_SIZE, CHUNK_SIZE + 1, 2 * CHUNK_SIZE + 999, bytes.length];
        for (const [i, end] of ends.entries()) {
          const from = ends[i - 1] ?? 0;
          await upload.append(from, streamOf(bytes.subarray(from, end)));
          expect(upload.size).toBe(end);
        }
        expect(await upload.finish()).toEqual(digestsOf(bytes));
        await upload.publish('p-1');
        expect((await storedBytes('p-1'))?.equals(bytes)).toBe(true);
      });

      it('goes on at its end and nowhere else', async () => {
        const upload = await storage.beginUpload();
        await upload.append(0, streamOf(Buffer.alloc(100)));
        await expect(upload.append(0, streamOf(Buffer.alloc(1)))).rejects.toThrow(WrongOffset);
        await expect(upload.append(101, streamOf(Buffer.alloc(1)))).rejects.toThrow(WrongOffset);
        expect((await upload.finish()).size).toBe(100);
        await upload.discard();
      });

      it.each(['fails', 'is cut off', 'is aborted'])('keeps what arrived before its stream %s', async (how) => {
        const bytes = randomBytes(3 * MIB + 5);
        const source = new PassThrough({ highWaterMark: 8 * MIB });
        const abort = new AbortController();
        const upload = await storage.beginUpload();
        const receiving = upload.append(0, source, abort.signal);
        source.write(bytes.subarray(0, 2 * MIB + 3));
        await delay(20);
        if (how === 'fails') source.destroy(new Error('boom'));
        else if (how === 'is cut off') source.destroy();
        else abort.abort(new Error('enough'));
        const reasons = { fails: 'boom', 'is cut off': /premature close/i, 'is aborted': 'enough' };
        await expect(receiving).rejects.toThrow(reasons[how as keyof typeof reasons]);
        const { size } = upload;
        expect(size).toBeLessThanOrEqual(2 * MIB + 3);
        await upload.append(size, streamOf(bytes.subarray(size)));
        expect(await upload.finish()).toEqual(digestsOf(bytes));
        await upload.discard();
      });

      it('leaves nothing behind when it is discarded, at any time', async () => {
        const begun = await storage.beginUpload();
        await begun.discard();
        const failed = await storage.beginUpload();
        const source = new PassThrough();
        source.destroy(new Error('boom'));
        await expect(failed.append(0, source)).rejects.toThrow('boom');
        await failed.discard();
        const whole = await uploadBytes(storage, randomBytes(10));
        await whole.discard();
        await whole.discard();
        expect(await engine.countStaged()).toBe(0);
        expect(await storage.listStored()).toEqual(new Set());
      });

      it('is refused early when it cannot fit', async () => {
        await expect(storage.beginUpload(2 ** 52)).rejects.toBeInstanceOf(StorageFull);
        expect(await engine.countStaged()).toBe(0);
      });

      it('is kept apart from many others at the same time', async () => {
        const contents = Array.from({ length: 40 }, () => randomBytes(2 * MIB + 777));
        const digests = contents.map(async (bytes) => {
          const upload = await storage.beginUpload();
          await upload.append(0, streamOf(bytes, 50_000));
          const found = await upload.finish();
          await upload.discard();
          return found;
        });
        expect(await Promise.all(digests)).toEqual(contents.map(digestsOf));
      });
    });

    describe('a stored package', () => {
      it('is not there before it is published', async () => {
        expect(await storage.openStored('p-1')).toBeNull();
        expect(await storage.digestStored('p-1')).toBeNull();
        await storage.removeStored('p-1');
      });

      it('is there after a restart', async () => {
        await storeBytes(storage, 'p-1', Buffer.from('hello'));
        await restart();
        expect(await storage.listStored()).toEqual(new Set(['p-1']));
        expect(String(await storedBytes('p-1'))).toBe('hello');
      });

      it('can be read at any place', async () => {
        await storeBytes(storage, 'p-1', Buffer.from('0123456789'));
        const file = await storage.openStored('p-1');
        const into = Buffer.alloc(4, '-');
        expect(file?.size).toBe(10);
        expect(await file?.read(into, 3, 2)).toBe(3);
        expect(String(into)).toBe('234-');
        expect(await file?.read(into, 4, 8)).toBe(2);
        expect(String(into)).toBe('894-');
        expect(await file?.read(into, 4, 10)).toBe(0);
        file?.close();
      });

      it('lets its readers finish after a removal, and has new bytes after a publication', async () => {
        await storeBytes(storage, 'p-1', Buffer.from('hello'));
        const file = await storage.openStored('p-1');
        await storage.removeStored('p-1');
        expect(await storage.openStored('p-1')).toBeNull();
        expect(file && String(await readBytes(file))).toBe('hello');
        file?.close();
        await storeBytes(storage, 'p-1', Buffer.from('hello again'));
        expect(String(await storedBytes('p-1'))).toBe('hello again');
        await storage.removeStored('p-1');
        await storage.removeStored('p-1');
        expect(await storage.listStored()).toEqual(new Set());
      });

      it('stays when its removal turns out to be unwanted, also when nobody can be asked', async () => {
        await storeBytes(storage, 'p-1', Buffer.from('hello'));
        await storage.removeStored('p-1', async () => false);
        await expect(storage.removeStored('p-1', () => Promise.reject(new Error('no log')))).rejects.toThrow('no log');
        expect(String(await storedBytes('p-1'))).toBe('hello');
        expect(await engine.countStaged()).toBe(0);
      });

      it('that is published while its removal is being decided is not lost', async () => {
        await storeBytes(storage, 'p-1', Buffer.from('old'));
        await storage.removeStored('p-1', async () => {
          await storeBytes(storage, 'p-1', Buffer.from('new'));
          return false;
        });
        expect(String(await storedBytes('p-1'))).toBe('new');
      });
    });

    describe('a replica', () => {
      const bytes = randomBytes(3 * MIB + 5);
      const reserve = () => storage.reserveReplica('p-1', bytes.length);

      it('has its final size, and keeps what was written, also after a restart', async () => {
        const file = await reserve();
        expect(file).toMatchObject({ packageId: 'p-1', size: bytes.length });
        await file.writeVerified(1, chunkOf(bytes, 1));
        await file.writeVerified(3, chunkOf(bytes, 3));
        await (await reserve()).writeVerified(0, chunkOf(bytes, 0));
        await restart();
        await (await reserve()).writeVerified(2, chunkOf(bytes, 2));
        expect((await replicaBytes('p-1'))?.equals(bytes)).toBe(true);
        expect(await storage.openStored('p-1')).toBeNull();
      });

      it('is refused when it cannot fit', async () => {
        await expect(storage.reserveReplica('p-1', 2 ** 52)).rejects.toBeInstanceOf(StorageFull);
      });

      it('tells which of its chunks are not what they should be', async () => {
        const file = await reserve();
        for (const chunk of [0, 2]) await file.writeVerified(chunk, chunkOf(bytes, chunk));
        const sha256 = hashChunks('sha256', bytes);
        expect(await file.findDamagedChunks(sha256)).toEqual([
          { first: 1, count: 1 },
          { first: 3, count: 1 },
        ]);
        for (const chunk of [1, 3]) await file.writeVerified(chunk, chunkOf(bytes, chunk));
        expect(await file.findDamagedChunks(sha256)).toEqual([]);
      });

      it('is hashed while it is being written', async () => {
        const file = await reserve();
        const digest = file.beginDigest();
        for (const chunk of [0, 1]) await file.writeVerified(chunk, chunkOf(bytes, chunk));
        digest.advance(2 * MIB);
        for (const chunk of [2, 3]) await file.writeVerified(chunk, chunkOf(bytes, chunk));
        expect(await digest.finish()).toBe(hex('sha256', bytes));
        file.beginDigest().drop();
      });

      it('becomes the stored file when it is published, and begins anew afterwards', async () => {
        const file = await reserve();
        for (const chunk of [0, 1, 2, 3]) await file.writeVerified(chunk, chunkOf(bytes, chunk));
        const reader = await storage.openReplica('p-1');
        await file.publish();
        expect((await storedBytes('p-1'))?.equals(bytes)).toBe(true);
        expect(reader && (await readBytes(reader)).equals(bytes)).toBe(true);
        reader?.close();
        expect(await storage.openReplica('p-1')).toBeNull();
        await reserve();
        expect((await replicaBytes('p-1'))?.equals(Buffer.alloc(bytes.length))).toBe(true);
        expect((await storedBytes('p-1'))?.equals(bytes)).toBe(true);
      });

      it('is gone when it is discarded, and can be reserved anew', async () => {
        await (await reserve()).writeVerified(0, chunkOf(bytes, 0));
        await storage.discardReplica('p-1');
        await storage.discardReplica('p-1');
        expect(await storage.openReplica('p-1')).toBeNull();
        expect(await engine.countStaged()).toBe(0);
        await reserve();
        expect((await replicaBytes('p-1'))?.equals(Buffer.alloc(bytes.length))).toBe(true);
      });
    });

    describe('damage', () => {
      const bytes = randomBytes(5 * MIB + 10);
      const expected = { size: bytes.length, sha256: hashChunks('sha256', bytes) };
      const atOnce = async (): Promise<void> => undefined;
      const find = () => storage.findDamage('p-1', expected, atOnce);
      const flip = async (...chunks: number[]): Promise<void> => {
        const changed = Buffer.from(bytes);
        for (const chunk of chunks) changed.writeUInt8(changed.readUInt8(chunk * MIB) ^ 1, chunk * MIB);
        await engine.damage('p-1', changed);
      };
      beforeEach(() => storeBytes(storage, 'p-1', bytes));

      it('is found chunk by chunk', async () => {
        expect(await find()).toBeNull();
        await flip(1, 5);
        expect(await find()).toEqual({
          lost: [
            { first: 1, count: 1 },
            { first: 5, count: 1 },
          ],
          missing: false,
        });
        await engine.damage('p-1', bytes.subarray(0, 4 * MIB + 7));
        expect(await find()).toEqual({ lost: [{ first: 4, count: 2 }], missing: false });
        await engine.damage('p-1', Buffer.concat([bytes, Buffer.alloc(1)]));
        expect(await find()).toMatchObject({ missing: false });
        await storage.removeStored('p-1');
        expect(await find()).toEqual({ lost: [{ first: 0, count: 6 }], missing: true });
      });

      it('is looked for at the pace that is wanted, until that ends the check', async () => {
        const asked: number[] = [];
        const pace = async (count: number): Promise<void> => void asked.push(count);
        expect(await storage.findDamage('p-1', expected, pace)).toBeNull();
        expect(asked.reduce((sum, count) => sum + count, 0)).toBe(bytes.length);
        expect(Math.max(...asked)).toBeLessThanOrEqual(4 * MIB);
        const stop = new Error('stop');
        await expect(storage.findDamage('p-1', expected, () => Promise.reject(stop))).rejects.toBe(stop);
      });

      it('puts a file into quarantine, where it cannot be opened and becomes the file that is repaired', async () => {
        await flip(2);
        const reader = await storage.openStored('p-1');
        await storage.quarantine('p-1');
        await storage.quarantine('p-1');
        expect(await storage.openStored('p-1')).toBeNull();
        expect(reader && (await readBytes(reader)).length).toBe(bytes.length);
        reader?.close();
        expect(await find()).toMatchObject({ lost: [{ first: 2, count: 1 }], missing: false });
        const file = await storage.reserveReplica('p-1', bytes.length);
        expect(await file.findDamagedChunks(expected.sha256)).toEqual([{ first: 2, count: 1 }]);
        await file.writeVerified(2, chunkOf(bytes, 2));
        await file.publish();
        expect(await find()).toBeNull();
        expect(await engine.countStaged()).toBe(0);
      });

      it('ends when the file in quarantine is restored', async () => {
        await storage.quarantine('p-1');
        await storage.restore('p-1');
        expect((await storedBytes('p-1'))?.equals(bytes)).toBe(true);
        expect(await engine.countStaged()).toBe(0);
      });

      it('is forgotten with the replica', async () => {
        await storage.quarantine('p-1');
        await storage.discardReplica('p-1');
        expect(await find()).toMatchObject({ missing: true });
        expect(await engine.countStaged()).toBe(0);
      });
    });

    describe('a sweep', () => {
      const wanted = (packages: string[], replicas: string[]) => ({
        packages: new Set(packages),
        replicas: new Set(replicas),
      });

      it('removes uploads of an earlier process, moves other files aside that nobody wants, and touches nothing else', async () => {
        for (const id of ['kept', 'orphan']) await storeBytes(storage, id, Buffer.from(id));
        for (const id of ['kept', 'old']) await storage.reserveReplica(id, 10);
        await uploadBytes(storage, Buffer.from('left behind'));
        await restart();
        const upload = await uploadBytes(storage, Buffer.from('on its way'));
        await storeBytes(storage, 'new', Buffer.from('its event is on its way'));
        const report = await storage.sweepUnwanted(wanted(['kept'], ['kept']));
        expect(report).toEqual({ uploads: { count: 1, size: 11 }, unclaimed: { count: 2, size: 16 }, refused: [] });
        const unclaimed = (await storage.unclaimed.list()).map(({ packageId, size }) => ({ packageId, size }));
        expect(unclaimed).toHaveLength(2);
        expect(unclaimed).toEqual(
          expect.arrayContaining([
            { packageId: 'orphan', size: 6 },
            { packageId: 'old', size: 10 },
          ]),
        );
        expect(await storage.listStored()).toEqual(new Set(['kept', 'new']));
        expect([await replicaBytes('kept'), await replicaBytes('old')]).toEqual([Buffer.alloc(10), null]);
        await upload.publish('uploaded');
        expect(String(await storedBytes('uploaded'))).toBe('on its way');
        expect(await engine.countStaged()).toBe(1);
      });

      it('restores a file in quarantine that is wanted as it is, not one that is being repaired', async () => {
        await storeBytes(storage, 'p-1', Buffer.from('hello'));
        await storage.quarantine('p-1');
        await storage.sweepUnwanted(wanted([], ['p-1']));
        expect(await storage.openStored('p-1')).toBeNull();
        expect(await engine.countStaged()).toBe(1);
        await storage.sweepUnwanted(wanted(['p-1'], []));
        expect(String(await storedBytes('p-1'))).toBe('hello');
        expect(await engine.countStaged()).toBe(0);
      });

      it('of uploads leaves those alone that somebody may be writing to', async () => {
        const upload = await storage.beginUpload();
        await storage.sweepUploads();
        await upload.append(0, streamOf(Buffer.from('hello')));
        await upload.finish();
        await upload.publish('p-1');
        expect(String(await storedBytes('p-1'))).toBe('hello');
      });
    });
  });
}
