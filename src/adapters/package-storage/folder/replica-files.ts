import { constants } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LRUCache } from 'lru-cache';
import { CHUNK_SIZE, type ChunkRange } from '../../../kernel/chunk-ranges.js';
import { errorCode } from '../../../kernel/errors.js';
import type { ReplicaFile, RunningDigest } from '../../../ports/package-storage.port.js';
import type { DigestThread } from './digest-thread.js';
import { diskError, requireFreeSpace, unlessMissing } from './folders.js';

/** For fewer bytes nobody asks for the free space: a full disk shows when they are written. */
const MIN_CHECKED_BYTES = 8 * 1024 * 1024;
const MAX_REMEMBERED = 1_000;
/** A file that somebody else has removed is created again after this time. */
const REMEMBERED_MS = 10_000;

/** The files of replicas, made at their final size. To ask again for one that was just made costs nothing. */
export class Reservations {
  private readonly recent = new LRUCache<string, Promise<void>>({ max: MAX_REMEMBERED, ttl: REMEMBERED_MS });

  /** Makes the file unless it is there, from a damaged file when there is one. What is in it stays. @throws StorageFull */
  makeFile(path: string, size: number, damaged: string): Promise<void> {
    const known = this.recent.get(path);
    if (known) return known;
    const made = makeFile(path, size, damaged).catch((error: unknown) => {
      this.forgetFile(path);
      throw diskError(error, size);
    });
    this.recent.set(path, made);
    return made;
  }

  /** Is to be called when the file is gone. */
  forgetFile(path: string): void {
    this.recent.delete(path);
  }
}

async function makeFile(path: string, size: number, damaged: string): Promise<void> {
  await rename(damaged, path).catch(unlessMissing);
  const { file, isNew } = await openOrCreate(path);
  try {
    const { blocks, size: present } = isNew ? { blocks: 0, size: 0 } : await file.stat();
    const lacking = size - blocks * 512;
    if (lacking > MIN_CHECKED_BYTES) await requireFreeSpace(dirname(path), lacking);
    if (present !== size) await file.truncate(size);
  } finally {
    await file.close();
  }
}

async function openOrCreate(path: string): Promise<{ file: FileHandle; isNew: boolean }> {
  try {
    return { file: await open(path, 'wx'), isNew: true };
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    return { file: await open(path, constants.O_RDWR | constants.O_CREAT), isNew: false };
  }
}

/** The file of one replica in the staging folder. */
export class FolderReplica implements ReplicaFile {
  constructor(
    readonly packageId: string,
    readonly size: number,
    readonly localPath: string,
    private readonly digests: DigestThread,
    private readonly publishFile: (path: string, packageId: string) => Promise<void>,
  ) {}

  async writeVerified(chunk: number, bytes: Uint8Array): Promise<void> {
    try {
      const file = await open(this.localPath, 'r+');
      await writeAll(file, bytes, chunk * CHUNK_SIZE).finally(() => file.close());
    } catch (error) {
      throw diskError(error);
    }
  }

  beginDigest(): RunningDigest {
    return this.digests.beginDigest(this.localPath);
  }

  findDamagedChunks(sha256: Uint8Array): Promise<readonly ChunkRange[]> {
    return this.digests.findDamagedChunks(this.localPath, sha256);
  }

  async publish(): Promise<void> {
    await this.publishFile(this.localPath, this.packageId);
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }
}
