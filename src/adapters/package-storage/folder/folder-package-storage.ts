import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  type ExpectedContent,
  type FileDamage,
  type LocalFiles,
  PackageStorage,
  type ReadPace,
  type ReplicaFile,
  type StagedUpload,
  type StoredFile,
  type SweepReport,
  type WantedFiles,
} from '../../../ports/package-storage.port.js';
import { DescriptorPool, storedFile } from './descriptor-pool.js';
import { DigestThread, findFileDamage } from './digest-thread.js';
import { FolderUpload } from './folder-upload.js';
import {
  damagedIdOf,
  diskError,
  Folders,
  isHidden,
  isPackageName,
  isUnfinished,
  listFiles,
  moveFile,
  replicaIdOf,
  requireFreeSpace,
  restoreFile,
  sweepUnfinished,
  syncFolder,
  unlessMissing,
  unlessRefused,
} from './folders.js';
import { PackagesMark } from './packages-mark.js';
import { UNCLAIMED, UnclaimedFolder } from './unclaimed-folder.js';
import { FolderReplica, Reservations } from './replica-files.js';
import { HashThread, SlabPool } from './upload-hashing.js';

/** Memory of all uploads together, in MiB. */
const MAX_SLABS = 16;
const MAX_OPEN_FILES = 500;
/** File times come from a clock that may be a tick behind. */
const CLOCK_TICK_MS = 20;
/** Senders that are silent for two minutes are cut off, so nobody writes to such an upload any more. */
const ABANDONED_AFTER_MS = 60 * 60 * 1000;

/** Stores the bytes of packages in `<dataDir>/packages/<packageId>`, and uploads and replicas in progress in `<dataDir>/staging`. */
export class FolderPackageStorage extends PackageStorage {
  override readonly local: LocalFiles;
  override readonly unclaimed: UnclaimedFolder;
  private readonly mark: PackagesMark;
  private readonly digests = new DigestThread();
  private readonly reservations = new Reservations();
  private readonly descriptors = new DescriptorPool(MAX_OPEN_FILES);
  private readonly uploads = {
    slabs: new SlabPool(MAX_SLABS),
    threads: { sha1: new HashThread('sha1'), sha256: new HashThread('sha256') },
    publishFile: (path: string, packageId: string) => this.publishFile(path, packageId),
  };
  private readonly startedAt = Date.now() - CLOCK_TICK_MS;

  private constructor(private readonly folders: Folders) {
    super();
    this.local = { fileNameOf: (packageId) => folders.packageName(packageId) };
    const { packages, staging } = folders;
    this.mark = new PackagesMark(packages);
    this.unclaimed = new UnclaimedFolder(new Map(Object.entries({ packages, staging })));
  }

  /** Makes the folders where they are missing. */
  static async openFolder(dataDir: string): Promise<FolderPackageStorage> {
    const folders = new Folders(dataDir);
    await folders.makeFolders();
    return new FolderPackageStorage(folders);
  }

  /** Ends the threads and closes the files. Nothing may be under way. */
  async close(): Promise<void> {
    this.descriptors.closeAll();
    const { sha1, sha256 } = this.uploads.threads;
    await Promise.all([sha1.close(), sha256.close(), this.digests.close()]);
  }

  override claimPlace(serverId: string, held: ReadonlySet<string>): Promise<void> {
    return this.mark.claim(serverId, held);
  }

  override checkPlace(): Promise<void> {
    return this.mark.check();
  }

  override async beginUpload(expectedSize?: number): Promise<StagedUpload> {
    await requireFreeSpace(this.folders.staging, expectedSize ?? 0);
    return FolderUpload.begin(this.folders.newUploadPath(), this.uploads).catch((error: unknown) => {
      throw diskError(error, expectedSize);
    });
  }

  override async reserveReplica(packageId: string, size: number): Promise<ReplicaFile> {
    const path = this.folders.replicaPath(packageId);
    await this.reservations.makeFile(path, size, this.folders.damagedPath(packageId));
    return new FolderReplica(packageId, size, path, this.digests, this.uploads.publishFile);
  }

  override async openReplica(packageId: string): Promise<StoredFile | null> {
    const file = await open(this.folders.replicaPath(packageId), 'r').catch(unlessMissing);
    return file && storedFile(file, (await file.stat()).size, () => void file.close());
  }

  override async discardReplica(packageId: string): Promise<void> {
    const path = this.folders.replicaPath(packageId);
    await rm(this.folders.damagedPath(packageId), { force: true });
    await rm(path, { force: true });
    this.reservations.forgetFile(path);
  }

  override openStored(packageId: string): Promise<StoredFile | null> {
    return this.descriptors.openFile(packageId, this.folders.packagePath(packageId));
  }

  override async digestStored(packageId: string): Promise<string | null> {
    const file = await this.openStored(packageId);
    if (!file) return null;
    file.close();
    return this.digestOf(this.folders.packagePath(packageId));
  }

  override async findDamage(packageId: string, expected: ExpectedContent, pace: ReadPace): Promise<FileDamage | null> {
    const damage = await findFileDamage(this.digests, this.folders.packagePath(packageId), expected, pace);
    if (!damage?.missing) return damage;
    // It may have been quarantined, and the process killed before that was recorded.
    const damaged = await findFileDamage(this.digests, this.folders.damagedPath(packageId), expected, pace);
    if (damaged?.missing) await this.checkPlace();
    return damaged;
  }

  override async quarantine(packageId: string): Promise<void> {
    await this.move(this.folders.packagePath(packageId), this.folders.damagedPath(packageId)).catch(unlessMissing);
    this.descriptors.forgetFile(packageId);
    // The remembered file of an earlier reservation is another file.
    this.reservations.forgetFile(this.folders.replicaPath(packageId));
    await syncFolder(this.folders.packages);
  }

  override async restore(packageId: string): Promise<void> {
    const [aside, path] = [this.folders.damagedPath(packageId), this.folders.packagePath(packageId)];
    if (await stat(path).catch(unlessMissing)) return rm(aside, { force: true });
    await this.move(aside, path).catch(unlessMissing);
  }

  override async listStored(): Promise<ReadonlySet<string>> {
    return new Set((await readdir(this.folders.packages)).filter(isPackageFile));
  }

  override async removeStored(packageId: string, stillUnwanted = async () => true): Promise<void> {
    const path = this.folders.packagePath(packageId);
    const aside = this.folders.removedPath(packageId);
    await rename(path, aside).catch(unlessMissing);
    this.descriptors.forgetFile(packageId);
    let unwanted = false;
    try {
      unwanted = await stillUnwanted();
    } finally {
      await (unwanted ? rm(aside, { force: true }) : restoreFile(aside, path));
      await syncFolder(this.folders.packages);
    }
  }

  override async hasCandidate(packageId: string): Promise<boolean> {
    return (await this.findCandidates(packageId)).length > 0;
  }

  override async reclaim(packageId: string, { size, sha256 }: { size: number; sha256: string }): Promise<boolean> {
    const path = this.folders.packagePath(packageId);
    let isInPlace = false;
    for (const candidate of await this.findCandidates(packageId)) {
      const isWhole = await unlessRefused([], candidate, async () => {
        const found = await stat(candidate).catch(unlessMissing);
        return found?.size === size && (await this.digestOf(candidate).catch(() => null)) === sha256;
      });
      if (!isWhole) continue;
      if (candidate !== path)
        await (isInPlace ? rm(candidate, { force: true }) : this.putInPlace(candidate, packageId));
      isInPlace = true;
      if (candidate !== path) await this.unclaimed.removeEmptyDay(dirname(candidate));
    }
    return isInPlace;
  }

  /** Leaves alone files that were changed since this process started, because their event may not be recorded yet. */
  override async sweepUnwanted({ packages, replicas }: WantedFiles): Promise<SweepReport> {
    const refused: string[] = [];
    for (const packageId of packages)
      await unlessRefused(refused, this.folders.packagePath(packageId), () => this.undoRemoval(packageId));
    await this.undoQuarantines(packages, replicas, refused);
    const uploads = { count: 0, size: 0 };
    const unclaimed = { count: 0, size: 0 };
    const isWanted = (name: string): boolean =>
      packages.has(name) || replicas.has(replicaIdOf(name) ?? damagedIdOf(name) ?? '');
    for (const folder of [this.folders.packages, this.folders.staging]) {
      addTo(uploads, await sweepUnfinished(folder, this.startedAt));
      for (const { name, found } of await listFiles(folder, refused)) {
        if (isWanted(name) || isHidden(name) || isUnfinished(name) || found.ctimeMs >= this.startedAt) continue;
        const path = join(folder, name);
        const moved = await unlessRefused(refused, path, async () => {
          await this.unclaimed.add(path);
          return true;
        });
        if (moved) addTo(unclaimed, { count: 1, size: found.size });
      }
    }
    return { uploads, unclaimed, refused };
  }

  override async sweepUploads(): Promise<void> {
    const { packages, staging } = this.folders;
    for (const folder of [packages, staging]) await sweepUnfinished(folder, Date.now() - ABANDONED_AFTER_MS);
  }

  /** Undoes a removal that a crash interrupted before it was asked whether the package is still unwanted. */
  private async undoRemoval(packageId: string): Promise<void> {
    const path = this.folders.packagePath(packageId);
    await restoreFile(this.folders.removedPath(packageId), path);
    const earlier = this.folders.earlierRemovedPath(packageId);
    if (!(await stat(earlier).catch(unlessMissing))) return;
    await ((await stat(path).catch(unlessMissing)) ? rm(earlier, { force: true }) : this.move(earlier, path));
  }

  /** Moves damaged files back whose quarantine was not recorded because the server was killed. The next check finds them again. */
  private async undoQuarantines(
    wanted: ReadonlySet<string>,
    replicas: ReadonlySet<string>,
    refused: string[],
  ): Promise<void> {
    for (const name of await readdir(this.folders.staging)) {
      const packageId = damagedIdOf(name);
      if (packageId !== null && wanted.has(packageId) && !replicas.has(packageId))
        await unlessRefused(refused, name, () => this.restore(packageId));
    }
  }

  /** The file in its place comes first. */
  private async findCandidates(packageId: string): Promise<readonly string[]> {
    const path = this.folders.packagePath(packageId);
    const isThere = (await stat(path).catch(unlessMissing))?.isFile() === true;
    return [...(isThere ? [path] : []), ...(await this.unclaimed.findPaths(packageId))];
  }

  private digestOf(path: string): Promise<string> {
    return this.digests.beginDigest(path).finish();
  }

  private move(from: string, to: string): Promise<void> {
    // The draft is beside its target, so that the last step is a rename.
    const draft = dirname(to) === this.folders.packages ? this.folders.arrivingPath() : this.folders.newUploadPath();
    return moveFile(from, to, draft, async (a, b) => (await this.digestOf(a)) === (await this.digestOf(b)));
  }

  private async putInPlace(from: string, packageId: string): Promise<void> {
    await this.move(from, this.folders.packagePath(packageId));
    this.descriptors.forgetFile(packageId);
    await syncFolder(this.folders.packages);
  }

  /** Flushes the file to the disk, renames it and flushes the folder, so that after a crash the package has either its old file or the whole new one. */
  private async publishFile(stagedPath: string, packageId: string): Promise<void> {
    await this.checkPlace();
    const file = await open(stagedPath, 'r+');
    await file.datasync().finally(() => file.close());
    await this.putInPlace(stagedPath, packageId);
    this.reservations.forgetFile(stagedPath);
  }
}

const isPackageFile = (name: string): boolean => isPackageName(name) && name !== UNCLAIMED;

function addTo(sum: { count: number; size: number }, more: { count: number; size: number }): void {
  sum.count += more.count;
  sum.size += more.size;
}
