import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, rm, stat, statfs } from 'node:fs/promises';
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
  if (bytes > bavail * bsize) throw new StorageFull(bytes);
}

const UPLOAD = 'upload-';
const REPLICA = 'replica-';
const REMOVED = 'removed-';
const DAMAGED = 'damaged-';
const SAFE_ID = /^[0-9a-zA-Z-]{1,64}$/;

function requireSafeId(packageId: string): string {
  if (!SAFE_ID.test(packageId)) throw new Error('Not a package id');
  return packageId;
}

/** The two folders of package bytes, on one volume so that a rename moves a file between them. */
export class Folders {
  readonly packages: string;
  readonly staging: string;

  constructor(dataDir: string) {
    this.packages = join(dataDir, 'packages');
    this.staging = join(dataDir, 'staging');
  }

  async makeFolders(): Promise<void> {
    await mkdir(this.packages, { recursive: true });
    await mkdir(this.staging, { recursive: true });
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
    return join(this.staging, `${REMOVED}${requireSafeId(packageId)}`);
  }

  /** The place where a damaged file of a package waits to be repaired. */
  damagedPath(packageId: string): string {
    return join(this.staging, `${DAMAGED}${requireSafeId(packageId)}`);
  }
}

/** The package id in the name of a damaged file; null for any other name. */
export const damagedIdOf = (name: string): string | null =>
  name.startsWith(DAMAGED) ? name.slice(DAMAGED.length) : null;

/** The package id in the name of a replica's file; null for any other name. */
export const replicaIdOf = (name: string): string | null =>
  name.startsWith(REPLICA) ? name.slice(REPLICA.length) : null;

/** True when this is the name of an upload's file. */
export const isUpload = (name: string): boolean => name.startsWith(UPLOAD);

/** Makes renames and removals in the folder survive a power failure. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Moves a file that was put aside back to its place, unless there is a file again. */
export async function restoreFile(aside: string, path: string): Promise<void> {
  await link(aside, path).catch((error: unknown) => {
    if (errorCode(error) !== 'EEXIST') unlessMissing(error);
  });
  await rm(aside, { force: true });
}

/** Undoes removals that a crash interrupted before it was asked whether the package is still unwanted. */
export async function restoreRemoved(folders: Folders, wanted: ReadonlySet<string>): Promise<void> {
  for (const packageId of wanted) await restoreFile(folders.removedPath(packageId), folders.packagePath(packageId));
}

/** Moves damaged files back whose quarantine was not recorded because the server was killed. The next check finds them again. */
export async function restoreDamaged(
  folders: Folders,
  wanted: ReadonlySet<string>,
  replicas: ReadonlySet<string>,
): Promise<void> {
  for (const name of await readdir(folders.staging)) {
    const packageId = damagedIdOf(name);
    if (packageId === null || !wanted.has(packageId) || replicas.has(packageId)) continue;
    await restoreFile(folders.damagedPath(packageId), folders.packagePath(packageId));
  }
}

/** Removes the files of a folder that are not wanted and were last changed before `before`, in milliseconds since 1970. */
export async function sweepFolder(folder: string, wanted: (name: string) => boolean, before: number): Promise<void> {
  for (const name of await readdir(folder)) {
    if (wanted(name)) continue;
    const path = join(folder, name);
    const entry = await stat(path).catch(unlessMissing);
    if (entry && entry.ctimeMs < before) await rm(path, { force: true, recursive: true });
  }
}
