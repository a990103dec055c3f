import { createHash, randomBytes } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FolderPackageStorage } from '../../../src/adapters/package-storage/folder/folder-package-storage.js';
import { CHUNK_SIZE } from '../../../src/kernel/chunk-ranges.js';
import {
  type ContentDigests,
  type PackageStorage,
  type StagedUpload,
  StorageFull,
} from '../../../src/ports/package-storage.port.js';
import { readBytes, storeBytes, streamOf, uploadBytes } from '../../contract/package-storage.contract.js';
import { waitFor } from '../../support/wait-for.js';

const MIB = 1024 * 1024;
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const sha256OfChunks = (bytes: Buffer): Buffer =>
  Buffer.concat(
    Array.from({ length: Math.ceil(bytes.length / CHUNK_SIZE) }, (_, i) =>
      createHash('sha256')
        .update(bytes.subarray(i * CHUNK_SIZE, (i + 1) * CHUNK_SIZE))
        .digest(),
    ),
  );

let dataDir: string;
let storage: FolderPackageStorage;
const staging = (): Promise<string[]> => readdir(join(dataDir, 'staging'));
const replicaPath = async (id: string, size: number): Promise<string> =>
  (await storage.reserveReplica(id, size)).localPath ?? '';

/** Uploads a stream, and keeps no file of it. */
async function digestsOf(target: PackageStorage, source: PassThrough): Promise<ContentDigests> {
  return receiveAll(await target.beginUpload(), source);
}

async function receiveAll(upload: StagedUpload, source: PassThrough, signal?: AbortSignal): Promise<ContentDigests> {
  try {
    await upload.append(0, source, signal);
    return await upload.finish();
  } finally {
    await upload.discard();
  }
}

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'ods-storage-'));
  storage = await FolderPackageStorage.openFolder(dataDir);
});
afterEach(async () => {
  await storage.close();
  await rm(dataDir, { recursive: true, force: true });
});

describe('uploads', () => {
  it('are not kept waiting by senders that stopped in the middle of a chunk', async () => {
    const slow = Array.from({ length: 30 }, () => new PassThrough());
    const receiving = slow.map((source) => digestsOf(storage, source));
    for (const source of slow) source.write(Buffer.alloc(300_000, 1));
    const bytes = randomBytes(8 * MIB);
    const fast = await storage.beginUpload();
    await fast.append(0, streamOf(bytes, 65_536));
    expect((await fast.finish()).sha256).toBe(sha256(bytes));
    for (const source of slow) source.end(Buffer.alloc(300_000, 2));
    const expected = Buffer.concat([Buffer.alloc(300_000, 1), Buffer.alloc(300_000, 2)]);
    for (const digests of await Promise.all(receiving)) {
      expect(digests.sha256).toBe(sha256(expected));
      expect(digests.chunks.sha1.equals(createHash('sha1').update(expected).digest())).toBe(true);
    }
  });

  it('give their memory back when the source fails, is cut off, or the upload is aborted', async () => {
    const [failing, cut, aborted] = [new PassThrough(), new PassThrough(), new PassThrough()];
    const abort = new AbortController();
    const all = [
      receiveAll(await storage.beginUpload(), failing),
      receiveAll(await storage.beginUpload(), cut),
      receiveAll(await storage.beginUpload(), aborted, abort.signal),
    ];
    for (const source of [failing, cut, aborted]) source.write(Buffer.alloc(3 * MIB));
    failing.destroy(new Error('boom'));
    cut.destroy();
    abort.abort(new Error('enough'));
    const outcomes = await Promise.allSettled(all);
    expect(outcomes.map((o) => (o.status === 'rejected' ? String(o.reason) : ''))).toEqual([
      'Error: boom',
      expect.stringContaining('Premature close'),
      'Error: enough',
    ]);
    expect(await staging()).toEqual([]);
    // All slabs are back: uploads that need every one of them go through.
    const uploads = Array.from({ length: 20 }, () => uploadBytes(storage, Buffer.alloc(2 * MIB)));
    expect((await Promise.all(uploads)).map(({ size }) => size)).toEqual(Array.from({ length: 20 }, () => 2 * MIB));
  });

  it('tell of a volume that runs full, and clean up', async ({ skip }) => {
    const small = join(dataDir, 'small');
    mkdirSync(small);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', small], { stdio: 'ignore' });
    } catch {
      skip('needs the right to mount a small volume');
    }
    try {
      const full = await FolderPackageStorage.openFolder(small);
      const upload = await full.beginUpload();
      const failed = upload.append(0, streamOf(randomBytes(8 * MIB), 65_536));
      await expect(failed).rejects.toBeInstanceOf(StorageFull);
      await expect(upload.append(upload.size, streamOf(Buffer.alloc(1)))).rejects.toBeInstanceOf(StorageFull);
      await upload.discard();
      expect(await readdir(join(small, 'staging'))).toEqual([]);
      await full.close();
    } finally {
      execFileSync('umount', [small]);
    }
  });
});

describe('stored packages', () => {
  it('are files of their id, which a proxy can send', async () => {
    await storeBytes(storage, 'p-1', Buffer.from('hello'));
    expect(storage.local.fileNameOf('p-1')).toBe('p-1');
    expect(readFileSync(join(dataDir, 'packages', 'p-1'), 'utf8')).toBe('hello');
  });

  it('are served over few descriptors', async () => {
    for (let i = 0; i < 20; i++) await storeBytes(storage, `p-${i}`, Buffer.from(`content ${i}`));
    for (let round = 0; round < 3; round++) {
      const files = await Promise.all(Array.from({ length: 20 }, (_, i) => storage.openStored(`p-${i}`)));
      const contents = await Promise.all(files.map(async (file) => file && String(await readBytes(file))));
      expect(contents).toEqual(files.map((_, i) => `content ${i}`));
      for (const file of files) file?.close();
    }
  });

  it('have no path for an id', () => {
    expect(() => storage.openStored('../secret')).toThrow('Not a package id');
    expect(() => storage.local.fileNameOf('../secret')).toThrow('Not a package id');
  });

  it('are read a few MiB at a time when damage is looked for', async () => {
    const bytes = randomBytes(5 * MIB + 10);
    await storeBytes(storage, 'p-1', bytes);
    const expected = { size: bytes.length, sha256: sha256OfChunks(bytes) };
    const asked: number[] = [];
    expect(await storage.findDamage('p-1', expected, async (count) => void asked.push(count))).toBeNull();
    expect(asked).toEqual([4 * MIB, MIB + 10]);
    await writeFile(join(dataDir, 'packages', 'p-1'), Buffer.concat([bytes, Buffer.alloc(1)]));
    expect(await storage.findDamage('p-1', expected, async () => undefined)).toEqual({
      lost: [{ first: 5, count: 1 }],
      missing: false,
    });
  });

  it('that another process takes away are noticed soon', async () => {
    await storeBytes(storage, 'p-1', Buffer.from('hello'));
    (await storage.openStored('p-1'))?.close();
    const other = await FolderPackageStorage.openFolder(dataDir);
    await other.quarantine('p-1');
    await other.close();
    await waitFor('it to be gone here', async () => (await storage.openStored('p-1')) === null);
  });
});

describe('replicas and leftovers', () => {
  it('a replica has a file that a thread can write into, and that is made once', async () => {
    const path = await replicaPath('p-1', 3 * MIB);
    expect(readFileSync(path).length).toBe(3 * MIB);
    await writeFile(path, 'x', { flag: 'r+' });
    expect(await replicaPath('p-1', 3 * MIB)).toBe(path);
    expect(readFileSync(path)[0]).toBe('x'.codePointAt(0));
  });

  it('a replica is made anew after its publication, and keeps what an earlier process wrote', async () => {
    const file = await storage.reserveReplica('p-1', 10);
    await file.publish();
    expect(await staging()).toEqual([]);
    await writeFile(file.localPath ?? '', 'x');
    expect(readFileSync(await replicaPath('p-1', 10), 'utf8')).toBe('x'.padEnd(10, '\0'));
  });

  it('a replica whose file was cut short or taken away is known to be damaged', async () => {
    const bytes = randomBytes(4 * MIB + 5);
    const file = await storage.reserveReplica('p-1', bytes.length);
    const path = file.localPath ?? '';
    const digests = sha256OfChunks(bytes);
    bytes.fill(0, MIB + 7, 2 * MIB + 1);
    await writeFile(path, bytes.subarray(0, 4 * MIB + 4));
    expect(await file.findDamagedChunks(digests)).toEqual([
      { first: 1, count: 2 },
      { first: 4, count: 1 },
    ]);
    await rm(path);
    await expect(file.findDamagedChunks(digests)).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(file.beginDigest().finish()).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(file.writeVerified(0, bytes.subarray(0, MIB))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('what crashes left is swept, and nothing else', async () => {
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
    storage = await FolderPackageStorage.openFolder(dataDir);
    await writeFile(join(dataDir, 'staging', 'upload-2'), 'on its way');
    await storage.sweepUnwanted({ packages: new Set(['kept', 'back']), replicas: new Set(['kept']) });
    expect((await readdir(join(dataDir, 'packages'))).toSorted()).toEqual(['back', 'kept', 'unclaimed']);
    expect((await staging()).toSorted()).toEqual(['replica-kept', 'unclaimed', 'upload-2']);
    const unclaimed = (await storage.unclaimed.list()).map(({ name, packageId }) => [name.split('/')[2], packageId]);
    expect(unclaimed.toSorted()).toEqual([
      ['orphan', 'orphan'],
      ['removed-gone', 'gone'],
      ['replica-old', 'old'],
    ]);
  });

  it('files that the system refuses to look at stay, are named, and hold up no others', async () => {
    for (const folder of ['packages', 'staging']) await symlink('loop', join(dataDir, folder, 'loop'));
    for (const path of ['packages/orphan', 'staging/replica-old']) await writeFile(join(dataDir, path), path);
    await reopen();
    const { unclaimed, refused } = await storage.sweepUnwanted({ packages: new Set(), replicas: new Set() });
    expect(unclaimed.count).toBe(2);
    expect(refused).toEqual(['packages', 'staging'].map((folder) => `${join(dataDir, folder, 'loop')} (ELOOP)`));
    expect((await staging()).toSorted()).toEqual(['loop', 'unclaimed']);
  });

  it.each([
    ['before the file was moved aside', async () => mkdir(unclaimedPath('2026-01-01'), { recursive: true })],
    ['after it was moved aside', async () => moveAside('p-1', '2026-01-01')],
    [
      'while it was taken back',
      async () => {
        await moveAside('p-1', '2026-01-01');
        await rename(unclaimedPath('2026-01-01', 'p-1'), join(dataDir, 'packages', 'p-1'));
      },
    ],
    [
      'while a copy of it was taken back from another volume',
      async () => {
        await moveAside('p-1', '2026-01-01');
        await writeFile(join(dataDir, 'packages', '.arriving-x'), BYTES.subarray(0, 10));
      },
    ],
    [
      'after it was taken back, before the copy aside was deleted',
      async () => {
        await mkdir(unclaimedPath('2026-01-01'), { recursive: true });
        await copyFile(join(dataDir, 'packages', 'p-1'), unclaimedPath('2026-01-01', 'p-1'));
      },
    ],
  ])('is whole again after a SIGKILL %s', async (_when, kill) => {
    await storeBytes(storage, 'p-1', BYTES);
    await kill();
    await reopen();
    const content = { size: BYTES.length, sha256: sha256(BYTES) };
    await storage.sweepUnwanted({ packages: new Set(), replicas: new Set() });
    expect(await storage.hasCandidate('p-1')).toBe(true);
    for (let times = 0; times < 2; times++) expect(await storage.reclaim('p-1', content)).toBe(true);
    expect(await readFile(join(dataDir, 'packages', 'p-1'))).toEqual(BYTES);
    expect(await storage.unclaimed.list()).toEqual([]);
    expect((await readdir(join(dataDir, 'packages'))).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});

const BYTES = randomBytes(1_000);
const unclaimedPath = (...names: string[]): string => join(dataDir, 'packages', 'unclaimed', ...names);

async function moveAside(packageId: string, day: string): Promise<void> {
  await mkdir(unclaimedPath(day), { recursive: true });
  await rename(join(dataDir, 'packages', packageId), unclaimedPath(day, packageId));
}

/** A new process, after the clock has gone on. */
async function reopen(): Promise<void> {
  await storage.close();
  const later = Date.now() + 60;
  while (Date.now() < later) await new Promise((resolve) => setImmediate(resolve));
  storage = await FolderPackageStorage.openFolder(dataDir);
}
