import { constants } from 'node:fs';
import { open, rename, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LRUCache } from 'lru-cache';
import { errorCode } from '../../../kernel/errors.js';
import { diskError, requireFreeSpace, unlessMissing } from './disk-errors.js';

/** What is not worth asking for the free space: a full disk shows when it is written. */
const MIN_CHECKED_BYTES = 8 * 1024 * 1024;
const MAX_REMEMBERED = 1_000;
/** Should somebody remove a file under our hands, it is made again after that time. */
const REMEMBERED_MS = 10_000;

/** Staging files of replicas, made at their final size. Asking again for one that was just made costs nothing. */
export class Reservations {
  private readonly recent = new LRUCache<string, Promise<void>>({ max: MAX_REMEMBERED, ttl: REMEMBERED_MS });

  /** What is in the file already stays; a damaged file becomes it, to be mended. @throws StorageFull */
  make(path: string, size: number, damaged: string): Promise<void> {
    const known = this.recent.get(path);
    if (known) return known;
    const made = makeFile(path, size, damaged).catch((error: unknown) => {
      this.forget(path);
      throw diskError(error, size);
    });
    this.recent.set(path, made);
    return made;
  }

  /** The file is gone. */
  forget(path: string): void {
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
