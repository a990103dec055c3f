import { open, readdir, rename, rm } from 'node:fs/promises';
import {
  type ExpectedContent,
  type FileDamage,
  type LocalFiles,
  PackageStorage,
  type ReadPace,
  type ReplicaFile,
  type StagedUpload,
  type StoredFile,
  type WantedFiles,
} from '../../../ports/package-storage.port.js';
import { DescriptorPool, storedFile } from './descriptor-pool.js';
import { DigestThread, findFileDamage } from './digest-thread.js';
import { FolderUpload } from './folder-upload.js';
import {
  damagedIdOf,
  diskError,
  Folders,
  isUpload,
  replicaIdOf,
  requireFreeSpace,
  restoreDamaged,
  restoreFile,
  restoreRemoved,
  sweepFolder,
  syncFolder,
  unlessMissing,
} from './folders.js';
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
    return this.digests.beginDigest(this.folders.packagePath(packageId)).finish();
  }

  override async findDamage(packageId: string, expected: ExpectedContent, pace: ReadPace): Promise<FileDamage | null> {
    const damage = await findFileDamage(this.digests, this.folders.packagePath(packageId), expected, pace);
    if (!damage?.missing) return damage;
    // It may have been quarantined, and the process killed before that was recorded.
    return findFileDamage(this.digests, this.folders.damagedPath(packageId), expected, pace);
  }

  override async quarantine(packageId: string): Promise<void> {
    await rename(this.folders.packagePath(packageId), this.folders.damagedPath(packageId)).catch(unlessMissing);
    this.descriptors.forgetFile(packageId);
    // The remembered file of an earlier reservation is another file.
    this.reservations.forgetFile(this.folders.replicaPath(packageId));
    await syncFolder(this.folders.packages);
  }

  override async restore(packageId: string): Promise<void> {
    await restoreFile(this.folders.damagedPath(packageId), this.folders.packagePath(packageId));
  }

  override async listStored(): Promise<ReadonlySet<string>> {
    return new Set(await readdir(this.folders.packages));
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

  /** Leaves alone files that were changed since this process started, because their event may not be recorded yet. */
  override async sweepUnwanted({ packages, replicas }: WantedFiles): Promise<void> {
    await restoreRemoved(this.folders, packages);
    await restoreDamaged(this.folders, packages, replicas);
    await sweepFolder(this.folders.packages, (name) => packages.has(name), this.startedAt);
    const isWanted = (name: string): boolean => replicas.has(replicaIdOf(name) ?? damagedIdOf(name) ?? '');
    await sweepFolder(this.folders.staging, isWanted, this.startedAt);
  }

  override sweepUploads(): Promise<void> {
    return sweepFolder(this.folders.staging, (name) => !isUpload(name), Date.now() - ABANDONED_AFTER_MS);
  }

  /** Flushes the file to the disk, renames it and flushes the folder, so that after a crash the package has either its old file or the whole new one. */
  private async publishFile(stagedPath: string, packageId: string): Promise<void> {
    const path = this.folders.packagePath(packageId);
    const file = await open(stagedPath, 'r+');
    await file.datasync().finally(() => file.close());
    await rename(stagedPath, path);
    this.reservations.forgetFile(stagedPath);
    this.descriptors.forgetFile(packageId);
    await syncFolder(this.folders.packages);
  }
}
