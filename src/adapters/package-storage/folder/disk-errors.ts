import { statfs } from 'node:fs/promises';
import { errorCode } from '../../../kernel/errors.js';
import { StorageFull } from '../../../ports/package-storage.port.js';

/** For `catch`: null where the file is not there; other errors go on. */
export function unlessMissing(error: unknown): null {
  if (errorCode(error) === 'ENOENT') return null;
  throw error;
}

/** The error to hand on: StorageFull where the volume or the quota is full, else the error itself. */
export function diskError(error: unknown, needed: number | null = null): unknown {
  const code = errorCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT' ? new StorageFull(needed) : error;
}

/** Refuses before anything is written what can't fit anyway. @throws StorageFull */
export async function requireFreeSpace(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bytes > bavail * bsize) throw new StorageFull(bytes);
}
