import { createHash, randomBytes } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FolderPackageStorage } from '../../../src/adapters/package-storage/folder/folder-package-storage.js';
import { CHUNK_SIZE } from '../../../src/kernel/chunk-ranges.js';
import { StorageFull } from '../../../src/ports/package-storage.port.js';

const MIB = 1024 * 1024;
const hash = (algorithm: string, bytes: Buffer): Buffer => createHash(algorithm).update(bytes).digest();
const perChunk = (algorithm: string, bytes: Buffer): Buffer =>
  Buffer.concat(
    Array.from({ length: Math.ceil(bytes.length / CHUNK_SIZE) }, (_, i) =>
      hash(algorithm, bytes.subarray(i * CHUNK_SIZE, (i + 1) * CHUNK_SIZE)),
    ),
  );
/** In pieces of odd sizes, as a network delivers them. */
function* pieces(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

let dataDir: string;
let storage: FolderPackageStorage;
const staging = (): Promise<string[]> => readdir(join(dataDir, 'staging'));

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'ods-storage-'));
  storage = await FolderPackageStorage.in(dataDir);
});
afterEach(async () => {
  await storage.close();
  await rm(dataDir, { recursive: true, force: true });
});

describe('receive', () => {
  it.each([0, 1, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, 5 * MIB + 12_345])(
    'hashes and writes %i bytes',
    async (size) => {
      const bytes = randomBytes(size);
      const file = await storage.receive(Readable.from(pieces(bytes, 65_521)), { expectedSize: size });
      expect(file.size).toBe(size);
      expect(file.sha1).toBe(hash('sha1', bytes).toString('hex'));
      expect(file.sha256).toBe(hash('sha256', bytes).toString('hex'));
      expect(file.chunks.sha1.equals(perChunk('sha1', bytes))).toBe(true);
      expect(file.chunks.sha256.equals(perChunk('sha256', bytes))).toBe(true);
      expect(readFileSync(file.path).equals(bytes)).toBe(true);
      expect(await storage.digest(file.path)).toBe(file.sha256);
    },
  );

  it('keeps many uploads at once apart, more than there are slabs', async () => {
    const uploads = Array.from({ length: 40 }, () => randomBytes(2 * MIB + 777));
    const files = await Promise.all(uploads.map((bytes) => storage.receive(Readable.from(pieces(bytes, 50_000)))));
    expect(files.map((file) => file.sha256)).toEqual(uploads.map((bytes) => hash('sha256', bytes).toString('hex')));
    files.forEach((file, i) =>
      expect(file.chunks.sha1.equals(perChunk('sha1', uploads[i] ?? Buffer.alloc(0)))).toBe(true),
    );
  });

  it('is not kept waiting by senders that stopped in the middle of a chunk', async () => {
    const slow = Array.from({ length: 30 }, () => new PassThrough());
    const receiving = slow.map((source) => storage.receive(source));
    for (const source of slow) source.write(Buffer.alloc(300_000, 1));
    const bytes = randomBytes(8 * MIB);
    const fast = await storage.receive(Readable.from(pieces(bytes, 65_536)));
    expect(fast.sha256).toBe(hash('sha256', bytes).toString('hex'));
    for (const source of slow) source.end(Buffer.alloc(300_000, 2));
    const expected = Buffer.concat([Buffer.alloc(300_000, 1), Buffer.alloc(300_000, 2)]);
    for (const file of await Promise.all(receiving)) {
      expect(file.sha256).toBe(hash('sha256', expected).toString('hex'));
      expect(file.chunks.sha1.equals(perChunk('sha1', expected))).toBe(true);
    }
  });

  it('leaves nothing behind when the source fails, is cut off, or the upload is aborted', async () => {
    const failing = new PassThrough();
    const cut = new PassThrough();
    const aborted = new PassThrough();
    const abort = new AbortController();
    const all = [storage.receive(failing), storage.receive(cut), storage.receive(aborted, { signal: abort.signal })];
    for (const source of [failing, cut, aborted]) source.write(Buffer.alloc(3 * MIB));
    failing.destroy(new Error('boom'));
    cut.destroy();
    abort.abort(new Error('enough'));
    const outcomes = await Promise.allSettled(all);
    expect(outcomes.map((o) => o.status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(outcomes.map((o) => (o.status === 'rejected' ? String(o.reason) : ''))).toEqual([
      'Error: boom',
      expect.stringContaining('Premature close'),
      'Error: enough',
    ]);
    expect(await staging()).toEqual([]);
    // All slabs are back: an upload that needs every one of them goes through.
    const files = await Promise.all(
      Array.from({ length: 20 }, () => storage.receive(Readable.from([Buffer.alloc(2 * MIB)]))),
    );
    expect(new Set(files.map((file) => file.sha256)).size).toBe(1);
  });

  it('refuses early what cannot fit', async () => {
    const refused = storage.receive(Readable.from([Buffer.from('x')]), { expectedSize: 2 ** 52 });
    await expect(refused).rejects.toBeInstanceOf(StorageFull);
    expect(await staging()).toEqual([]);
  });

  it('tells of a volume that runs full, and cleans up', async ({ skip }) => {
    const small = join(dataDir, 'small');
    const { mkdirSync } = await import('node:fs');
    mkdirSync(small);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', small], { stdio: 'ignore' });
    } catch {
      skip('needs the right to mount a small volume');
    }
    try {
      const full = await FolderPackageStorage.in(small);
      await expect(full.receive(Readable.from(pieces(randomBytes(8 * MIB), 65_536)))).rejects.toBeInstanceOf(
        StorageFull,
      );
      expect(await readdir(join(small, 'staging'))).toEqual([]);
      await full.close();
    } finally {
      execFileSync('umount', [small]);
    }
  });
});

describe('publish, open, remove', () => {
  const put = async (id: string, text: string): Promise<void> => {
    const file = await storage.receive(Readable.from([Buffer.from(text)]));
    await storage.publish(file.path, id);
  };

  it('moves the file to where it is opened from', async () => {
    expect(await storage.open('p-1')).toBeNull();
    await put('p-1', 'hello');
    const file = await storage.open('p-1');
    expect(file?.size).toBe(5);
    expect(readFileSync(file?.fd ?? -1, 'utf8')).toBe('hello');
    file?.close();
    expect(await staging()).toEqual([]);
  });

  it('digests what is published', async () => {
    expect(await storage.digestPublished('p-1')).toBeNull();
    await put('p-1', 'hello');
    expect(await storage.digestPublished('p-1')).toBe(createHash('sha256').update('hello').digest('hex'));
  });

  it('lets readers finish after a removal, and finds the file anew after a publication', async () => {
    await put('p-1', 'hello');
    const file = await storage.open('p-1');
    await storage.remove('p-1');
    expect(await storage.open('p-1')).toBeNull();
    expect(readFileSync(file?.fd ?? -1, 'utf8')).toBe('hello');
    file?.close();
    await put('p-1', 'hello again');
    const again = await storage.open('p-1');
    expect(again?.size).toBe(11);
    again?.close();
    await storage.remove('p-1');
    await storage.remove('p-1');
  });

  it('puts a file back that turns out to be wanted, also when nobody can be asked', async () => {
    await put('p-1', 'hello');
    await storage.remove('p-1', async () => false);
    await expect(storage.remove('p-1', async () => Promise.reject(new Error('no log')))).rejects.toThrow('no log');
    const file = await storage.open('p-1');
    expect(file?.size).toBe(5);
    file?.close();
    expect(await staging()).toEqual([]);
  });

  it('serves many files over few descriptors', async () => {
    for (let i = 0; i < 20; i++) await put(`p-${i}`, `content ${i}`);
    for (let round = 0; round < 3; round++) {
      const files = await Promise.all(Array.from({ length: 20 }, (_, i) => storage.open(`p-${i}`)));
      for (const file of files) file?.close();
    }
  });

  it('takes no path for a package id', () => {
    expect(() => storage.open('../secret')).toThrow('Not a package id');
  });
});

describe('replicas and leftovers', () => {
  it('reserves the size once and keeps what is there', async () => {
    const path = await storage.reserve('p-1', 3 * MIB);
    expect(readFileSync(path).length).toBe(3 * MIB);
    await writeFile(path, 'x', { flag: 'r+' });
    expect(await storage.reserve('p-1', 3 * MIB)).toBe(path);
    expect(readFileSync(path)[0]).toBe('x'.codePointAt(0));
    await expect(storage.reserve('p-2', 2 ** 52)).rejects.toBeInstanceOf(StorageFull);
  });

  it('reserves anew what was published or given up, and keeps what an earlier process wrote', async () => {
    const gone = async (path: string) => expect(await readdir(join(path, '..'))).not.toContain(basename(path));
    const path = await storage.reserve('p-1', 10);
    await storage.discardReplicaFile('p-1');
    await storage.discardReplicaFile('p-1');
    await gone(path);
    await storage.publish(await storage.reserve('p-1', 10), 'p-1');
    await gone(path);
    await writeFile(path, 'x');
    await storage.reserve('p-1', 10);
    expect(readFileSync(path, 'utf8')).toBe('x'.padEnd(10, '\0'));
  });

  it('tells which chunks of a file are not what they should be', async () => {
    const bytes = randomBytes(4 * MIB + 5);
    const path = await storage.reserve('p-1', bytes.length);
    await writeFile(path, bytes);
    const digests = perChunk('sha256', bytes);
    expect(await storage.damagedChunks(path, digests)).toEqual([]);
    bytes.fill(0, MIB + 7, 2 * MIB + 1);
    await writeFile(path, bytes.subarray(0, 4 * MIB + 4));
    expect(await storage.damagedChunks(path, digests)).toEqual([
      { first: 1, count: 2 },
      { first: 4, count: 1 },
    ]);
    await expect(storage.damagedChunks(join(dataDir, 'nowhere'), digests)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('digests a file while it is being written', async () => {
    const bytes = randomBytes(3 * MIB + 5);
    const path = await storage.reserve('p-1', bytes.length);
    const digest = storage.beginDigest(path);
    await writeFile(path, bytes.subarray(0, 2 * MIB), { flag: 'r+' });
    digest.advance(2 * MIB);
    await writeFile(path, bytes, { flag: 'r+' });
    expect(await digest.finish()).toBe(hash('sha256', bytes).toString('hex'));
    storage.beginDigest(path).drop();
    await expect(storage.digest(join(dataDir, 'nowhere'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('sweeps what crashes left, and nothing else', async () => {
    await storage.close();
    for (const path of [
      'packages/kept',
      'packages/orphan',
      'staging/upload-1',
      'staging/replica-kept',
      'staging/replica-old',
      'staging/removed-back',
      'staging/removed-gone',
    ]) {
      await writeFile(join(dataDir, path), path);
      await utimes(join(dataDir, path), 1, 1);
    }
    const later = Date.now() + 60;
    while (Date.now() < later) await new Promise((resolve) => setImmediate(resolve));
    storage = await FolderPackageStorage.in(dataDir);
    await writeFile(join(dataDir, 'staging', 'upload-2'), 'on its way');
    await storage.sweep({ packages: new Set(['kept', 'back']), replicas: new Set(['kept']) });
    expect((await readdir(join(dataDir, 'packages'))).toSorted()).toEqual(['back', 'kept']);
    expect((await staging()).toSorted()).toEqual(['replica-kept', 'upload-2']);
    expect(existsSync(join(dataDir, 'packages', 'orphan'))).toBe(false);
  });
});
