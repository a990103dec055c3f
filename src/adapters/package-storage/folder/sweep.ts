import { link, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../../shared/errors.js';
import { unlessMissing } from './disk-errors.js';
import { damagedIdOf, type Folders } from './folders.js';

/** Undoes a removal, unless there is a file again. */
export async function restoreFile(aside: string, path: string): Promise<void> {
  await link(aside, path).catch((error: unknown) => {
    if (errorCode(error) !== 'EEXIST') unlessMissing(error);
  });
  await rm(aside, { force: true });
}

/** Undoes removals that a crash cut short before it was asked whether they still hold. */
export async function restoreRemoved(folders: Folders, wanted: ReadonlySet<string>): Promise<void> {
  for (const packageId of wanted) await restoreFile(folders.removed(packageId), folders.package(packageId));
}

/** Damaged files that were taken out, and the server was killed before that was recorded, go back until they are read again. */
export async function restoreDamaged(
  folders: Folders,
  wanted: ReadonlySet<string>,
  mended: ReadonlySet<string>,
): Promise<void> {
  for (const name of await readdir(folders.staging)) {
    const packageId = damagedIdOf(name);
    if (packageId === null || !wanted.has(packageId) || mended.has(packageId)) continue;
    await restoreFile(folders.damaged(packageId), folders.package(packageId));
  }
}

/** Removes the files of a folder that nobody wants and that were last changed before `before` (ms since 1970). */
export async function sweepFolder(folder: string, wanted: (name: string) => boolean, before: number): Promise<void> {
  for (const name of await readdir(folder)) {
    if (wanted(name)) continue;
    const path = join(folder, name);
    const entry = await stat(path).catch(unlessMissing);
    if (entry && entry.ctimeMs < before) await rm(path, { force: true, recursive: true });
  }
}
