import { statfs } from 'node:fs/promises';
import { errorCode } from '../../../kernel/errors.js';
import { StorageFull } from '../../../ports/package-storage.port.js';

/** For `catch`: null when the error says that the file does not exist. @throws every other error */
export function unlessMissing(error: unknown): null {
  if (errorCode(error) === 'ENOENT') return null;
  throw error;
}

/** The error to throw: StorageFull when the volume or the quota is full, otherwise the error itself. */
export function diskError(error: unknown, needed: number | null = null): unknown {
  const code = errorCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT' ? new StorageFull(needed) : error;
}

/** Refuses bytes that cannot fit before anything is written. @throws StorageFull */
export async function requireFreeSpace(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bytes > bavail * bsize) throw new StorageFull(bytes);
}
