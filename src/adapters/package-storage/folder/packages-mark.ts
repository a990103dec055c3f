import { open, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { StartupError } from '../../../kernel/errors.js';
import { StorageMissing } from '../../../ports/package-storage.port.js';
import { isPackageName, syncFolder, unlessMissing } from './folders.js';

/** The file in the folder `packages` that names its server, so that an empty mount point is not taken for it. */
export const MARK = '.server-id';

/** The id in the mark of a folder of packages; null when it has none. */
export const readMark = async (packages: string): Promise<string | null> =>
  (await readFile(join(packages, MARK), 'utf8').catch(unlessMissing))?.trim() ?? null;

/** Recognises the folder of packages by a mark in it. */
export class PackagesMark {
  private isClaimed = false;

  constructor(private readonly packages: string) {}

  /**
   * An empty mark was made by an administrator, for whom the files of a lost volume are to be fetched again.
   * @throws StartupError
   */
  async claim(serverId: string, held: ReadonlySet<string>): Promise<void> {
    const owner = await readMark(this.packages);
    if (owner !== null && owner !== '' && owner !== serverId) throw this.foreign(owner, serverId);
    if (owner === null && held.size > 0 && !(await this.hasAnyOf(held))) throw this.unmarked(held.size);
    if (owner !== serverId) await this.write(serverId);
    this.isClaimed = true;
  }

  /** @throws StorageMissing when the mark was there at the start and is gone */
  async check(): Promise<void> {
    if (this.isClaimed && (await readMark(this.packages)) === null) throw new StorageMissing(this.packages);
  }

  private async hasAnyOf(held: ReadonlySet<string>): Promise<boolean> {
    return (await readdir(this.packages)).some((name) => isPackageName(name) && held.has(name));
  }

  private async write(serverId: string): Promise<void> {
    const draft = join(this.packages, `${MARK}.new`);
    const file = await open(draft, 'w');
    try {
      await file.writeFile(`${serverId}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, join(this.packages, MARK));
    await syncFolder(this.packages);
  }

  private unmarked(count: number): StartupError {
    return new StartupError(
      `The database records ${count} packages, but ${this.packages} holds none of them and not the mark of this server ` +
        `(${MARK}). If it is a volume, mount it. If the files are lost, create the empty file ` +
        `${join(this.packages, MARK)}, and the server fetches the packages again from its peers.`,
    );
  }

  private foreign(owner: string, serverId: string): StartupError {
    return new StartupError(
      `The packages in ${this.packages} belong to the server ${owner}, but the database belongs to the server ` +
        `${serverId}. Mount the volume of this server there.`,
    );
  }
}
