import { mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { errorCode } from '../../../kernel/errors.js';
import type { UnclaimedFile, UnclaimedFiles } from '../../../ports/package-storage.port.js';
import { listFiles, packageIdOfName, syncFolder, unlessMissing } from './folders.js';

/** The folder of unclaimed files in `packages` and in `staging`. A file never changes its volume when it is moved aside. */
export const UNCLAIMED = 'unclaimed';
const DAY = /^\d{4}-\d{2}-\d{2}$/;
/** An empty file beside the unclaimed ones of a day. Its time says when their deletion was announced. */
const ANNOUNCED = '.announced';
/** Comes before a number when a file of the same name was moved aside on the same day. */
const COPY = '~';

const nameWithoutCopy = (name: string): string => name.split(COPY)[0] ?? name;

/** The places of an unclaimed file's parts in its name, which is `<folder>/<day>/<file>`. */
interface Place {
  readonly folder: string;
  readonly day: string;
  readonly file: string;
}

function parseName(name: string): Place | null {
  const [folder, day, file, ...rest] = name.split('/');
  if (folder === undefined || day === undefined || file === undefined || rest.length > 0) return null;
  return DAY.test(day) && file !== '' && file !== '.' && file !== '..' && !file.includes(sep)
    ? { folder, day, file }
    : null;
}

async function listDays(folder: string): Promise<readonly string[]> {
  return ((await readdir(join(folder, UNCLAIMED)).catch(unlessMissing)) ?? []).filter((name) => DAY.test(name));
}

/** Keeps unclaimed files in `<folder>/unclaimed/<day>/`, where the day is the one on which they were moved aside. */
export class UnclaimedFolder implements UnclaimedFiles {
  /** @param folders the folders in which files are moved aside, by the names that they have here */
  constructor(private readonly folders: ReadonlyMap<string, string>) {}

  /** Moves a file of one of the folders aside, durably. */
  async add(path: string, now = new Date()): Promise<void> {
    const folder = join(dirname(path), UNCLAIMED, now.toISOString().slice(0, 10));
    await mkdir(folder, { recursive: true });
    const name = basename(path).replace(/^\.+/, '');
    for (let copy = 1; ; copy += 1) {
      const target = join(folder, copy === 1 ? name : `${name}${COPY}${copy}`);
      if (await stat(target).catch(unlessMissing)) continue;
      await rename(path, target);
      break;
    }
    await syncFolder(folder);
    await syncFolder(dirname(path));
  }

  async list(): Promise<readonly UnclaimedFile[]> {
    const found: UnclaimedFile[] = [];
    for (const [folder, path] of this.folders) {
      for (const day of await listDays(path)) found.push(...(await this.listDay(folder, path, day)));
    }
    return found.toSorted((a, b) => a.since.getTime() - b.since.getTime() || (a.name < b.name ? -1 : 1));
  }

  /** The paths of the unclaimed files of a package. */
  async findPaths(packageId: string): Promise<readonly string[]> {
    const found: string[] = [];
    for (const path of this.folders.values()) {
      for (const day of await listDays(path)) {
        const names = (await readdir(join(path, UNCLAIMED, day)).catch(unlessMissing)) ?? [];
        const ours = names.filter((name) => packageIdOfName(nameWithoutCopy(name)) === packageId);
        found.push(...ours.map((name) => join(path, UNCLAIMED, day, name)));
      }
    }
    return found;
  }

  async noteAnnounced(names: readonly string[]): Promise<void> {
    const folders = new Set(names.flatMap((name) => this.pathOf(name) ?? []).map((path) => dirname(path)));
    for (const folder of folders) {
      // An earlier announcement counts.
      const file = await open(join(folder, ANNOUNCED), 'wx').catch((error: unknown) =>
        errorCode(error) === 'EEXIST' ? null : unlessMissing(error),
      );
      await file?.close();
    }
  }

  async remove(names: readonly string[]): Promise<void> {
    for (const name of names) {
      const path = this.pathOf(name);
      if (path === null) continue;
      await rm(path, { force: true });
      await this.removeEmptyDay(dirname(path));
    }
  }

  /** Removes the folder of a day that has no unclaimed file any more. */
  async removeEmptyDay(folder: string): Promise<void> {
    const left = (await readdir(folder).catch(unlessMissing)) ?? [];
    if (left.some((name) => name !== ANNOUNCED)) return;
    await rm(join(folder, ANNOUNCED), { force: true });
    for (const path of [folder, dirname(folder)]) {
      await rmdir(path).catch((error: unknown) => {
        if (errorCode(error) !== 'ENOTEMPTY') unlessMissing(error);
      });
    }
  }

  private async listDay(folder: string, path: string, day: string): Promise<readonly UnclaimedFile[]> {
    const files = await listFiles(join(path, UNCLAIMED, day));
    const announcedAt = files.find(({ name }) => name === ANNOUNCED)?.found.mtime ?? null;
    return files
      .filter(({ name }) => name !== ANNOUNCED)
      .map(({ name, found: { size } }) => ({
        name: `${folder}/${day}/${name}`,
        packageId: packageIdOfName(nameWithoutCopy(name)),
        size,
        since: new Date(`${day}T00:00:00Z`),
        announcedAt,
      }));
  }

  private pathOf(name: string): string | null {
    const place = parseName(name);
    const folder = place ? this.folders.get(place.folder) : undefined;
    return place && folder !== undefined ? join(folder, UNCLAIMED, place.day, place.file) : null;
  }
}
