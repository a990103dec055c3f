import { randomUUID } from 'node:crypto';
import { copyFile, link, mkdir, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { join } from 'node:path';
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
  if (bytes > bavail * bsize) throw new StorageFull(bytes, bavail * bsize);
}

/** For the owner, and for a group that may read, in which nginx can be. */
const FOLDER_MODE = 0o750;
const UPLOAD = 'upload-';
const REPLICA = 'replica-';
const REMOVED = 'removed-';
const DAMAGED = 'damaged-';
const SAFE_ID = /^[0-9a-zA-Z-]{1,64}$/;

/** @throws RangeError, which tells a reader of the log that the event is at fault, and that another try would fail as well */
function requireSafeId(packageId: string): string {
  if (!SAFE_ID.test(packageId)) throw new RangeError('Not a package id');
  return packageId;
}

const ARRIVING = '.arriving-';
const HIDDEN_REMOVED = '.removed-';

/** True when this is the name of a package's file in the folder `packages`. */
export const isPackageName = (name: string): boolean => SAFE_ID.test(name);

/** The two folders of package bytes. They may be on different volumes, but then each package is copied once more. */
export class Folders {
  readonly packages: string;
  readonly staging: string;

  constructor(dataDir: string) {
    this.packages = join(dataDir, 'packages');
    this.staging = join(dataDir, 'staging');
  }

  async makeFolders(): Promise<void> {
    await mkdir(this.packages, { recursive: true, mode: FOLDER_MODE });
    await mkdir(this.staging, { recursive: true, mode: FOLDER_MODE });
  }

  /** Name of a package's file in the folder `packages`. */
  packageName(packageId: string): string {
    return requireSafeId(packageId);
  }

  packagePath(packageId: string): string {
    return join(this.packages, requireSafeId(packageId));
  }

  newUploadPath(): string {
    return join(this.staging, `${UPLOAD}${randomUUID()}`);
  }

  replicaPath(packageId: string): string {
    return join(this.staging, `${REPLICA}${requireSafeId(packageId)}`);
  }

  /** The place of the file of a package while its removal is being decided. */
  removedPath(packageId: string): string {
    return join(this.packages, `${HIDDEN_REMOVED}${requireSafeId(packageId)}`);
  }

  /** The same place, as earlier versions chose it. */
  earlierRemovedPath(packageId: string): string {
    return join(this.staging, `${REMOVED}${requireSafeId(packageId)}`);
  }

  /** A place beside the packages for a file that is being copied from another volume. */
  arrivingPath(): string {
    return join(this.packages, `${ARRIVING}${randomUUID()}`);
  }

  /** The place where a damaged file of a package waits to be repaired. */
  damagedPath(packageId: string): string {
    return join(this.staging, `${DAMAGED}${requireSafeId(packageId)}`);
  }
}

const idAfter = (prefix: string, name: string): string | null =>
  name.startsWith(prefix) && SAFE_ID.test(name.slice(prefix.length)) ? name.slice(prefix.length) : null;

/** The package id in the name of a damaged file; null for any other name. */
export const damagedIdOf = (name: string): string | null => idAfter(DAMAGED, name);

/** The package id in the name of a replica's file; null for any other name. */
export const replicaIdOf = (name: string): string | null => idAfter(REPLICA, name);

/** The package id in the name of any file of a package; null for any other name. */
export const packageIdOfName = (name: string): string | null =>
  [REPLICA, DAMAGED, REMOVED, HIDDEN_REMOVED].reduce<string | null>(
    (id, prefix) => id ?? idAfter(prefix, name),
    null,
  ) ?? (SAFE_ID.test(name) ? name : null);

/** True when this is the name of a file that this server was still receiving or copying. */
export const isUnfinished = (name: string): boolean => name.startsWith(UPLOAD) || name.startsWith(ARRIVING);

/** True when this is the name of a file whose removal was being decided. */
export const isBeingRemoved = (name: string): boolean => name.startsWith(HIDDEN_REMOVED);

/** True when this name is of no file of ours: the mark of the folder, or what systems leave behind. They stay. */
export const isHidden = (name: string): boolean => name.startsWith('.') && !isBeingRemoved(name) && !isUnfinished(name);

/** Makes renames and removals in the folder survive a power failure. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Compares two files. */
type CompareFiles = (a: string, b: string) => Promise<boolean>;

/**
 * Moves a file and replaces the one that is there. Between volumes, it is copied to `draft`, flushed, compared, and renamed,
 * so that after a crash the target has either its old file or the whole new one.
 */
export async function moveFile(from: string, to: string, draft: string, areEqual: CompareFiles): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (errorCode(error) !== 'EXDEV') throw error;
    await copyVerified(from, to, draft, areEqual).catch(async (copyError: unknown) => {
      await rm(draft, { force: true });
      throw diskError(copyError, (await stat(from).catch(unlessMissing))?.size ?? null);
    });
    await rm(from, { force: true });
  }
}

async function copyVerified(from: string, to: string, draft: string, areEqual: CompareFiles): Promise<void> {
  await copyFile(from, draft);
  const file = await open(draft, 'r+');
  await file.sync().finally(() => file.close());
  if (!(await areEqual(from, draft))) throw new Error(`The copy of ${from} on the other volume has other bytes`);
  await rename(draft, to);
}

/** Moves a file that was put aside back to its place on the same volume, unless there is a file again. */
export async function restoreFile(aside: string, path: string): Promise<void> {
  await link(aside, path).catch((error: unknown) => {
    if (errorCode(error) !== 'EEXIST') unlessMissing(error);
  });
  await rm(aside, { force: true });
}

/** Codes of the system for one file that this process cannot look at or change. Others may still be well. */
const REFUSED = new Set(['EACCES', 'EPERM', 'ELOOP', 'EIO', 'ESTALE', 'EBUSY', 'ETXTBSY']);

/** Works on one file. When the system refuses it, the reason is added to `refused`, and the result is null. */
export async function unlessRefused<T>(refused: string[], path: string, work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    const code = errorCode(error) ?? '';
    if (!REFUSED.has(code)) throw error;
    refused.push(`${path} (${code})`);
    return null;
  }
}

/**
 * The regular files of a folder with their names. A file that disappears meanwhile, one that the system refuses to look
 * at, and a missing folder are left out.
 */
export async function listFiles(
  folder: string,
  refused: string[] = [],
): Promise<readonly { readonly name: string; readonly found: Stats }[]> {
  const files = [];
  for (const name of (await readdir(folder).catch(unlessMissing)) ?? []) {
    const path = join(folder, name);
    const found = await unlessRefused(refused, path, () => stat(path).catch(unlessMissing));
    if (found?.isFile()) files.push({ name, found });
  }
  return files;
}

/** Removes the files of a folder that this server has not finished and that were last changed before a time in ms. */
export async function sweepUnfinished(folder: string, before: number): Promise<{ count: number; size: number }> {
  const old = (await listFiles(folder)).filter(({ name, found }) => isUnfinished(name) && found.ctimeMs < before);
  for (const { name } of old) {
    const path = join(folder, name);
    // The next sweep tries again.
    await unlessRefused([], path, () => rm(path, { force: true }));
  }
  return { count: old.length, size: old.reduce((sum, { found }) => sum + found.size, 0) };
}
