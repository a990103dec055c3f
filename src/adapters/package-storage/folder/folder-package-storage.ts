import { open, readdir, rename, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { ChunkRange } from '../../../kernel/chunk-ranges.js';
import {
  PackageStorage,
  type FileDamage,
  type Pace,
  type PublishedContent,
  type PublishedFile,
  type ReceiveOptions,
  type RunningDigest,
  type StagedFile,
} from '../../../ports/package-storage.port.js';
import { diskError, requireFreeSpace, unlessMissing } from './disk-errors.js';
import {
  damagedIdOf,
  Folders,
  isUpload,
  replicaIdOf,
  restoreDamaged,
  restoreFile,
  restoreRemoved,
  sweepFolder,
  syncFolder,
} from './folders.js';
import { DescriptorPool } from './descriptor-pool.js';
import { DigestThread, examineFile } from './digest-thread.js';
import { HashThread } from './hash-thread.js';
import { Receiver, type Received } from './receiver.js';
import { SlabPool } from './slab-pool.js';
import { StagedWriter } from './staged-writer.js';
import { Reservations } from './reservations.js';

/** Memory of all uploads together, in MiB. */
const MAX_SLABS = 16;
const MAX_OPEN_FILES = 500;
/** File times come from a clock that may be a tick behind. */
const CLOCK_TICK_MS = 20;
/** Senders that are silent for two minutes are cut off, so nobody writes to such an upload any more. */
const ABANDONED_AFTER_MS = 60 * 60 * 1000;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const buffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const staged = (path: string, { size, sha1, sha256 }: Received): StagedFile => ({
  path,
  size,
  sha1: hex(sha1.whole),
  sha256: hex(sha256.whole),
  chunks: { sha1: buffer(sha1.chunks), sha256: buffer(sha256.chunks) },
});

/** Package bytes in `<dataDir>/packages/<packageId>`, on their way in `<dataDir>/staging`. */
export class FolderPackageStorage extends PackageStorage {
  private readonly slabs = new SlabPool(MAX_SLABS);
  private readonly threads = { sha1: new HashThread('sha1'), sha256: new HashThread('sha256') };
  private readonly digests = new DigestThread();
  private readonly reservations = new Reservations();
  private readonly descriptors = new DescriptorPool(MAX_OPEN_FILES);
  private readonly startedAt = Date.now() - CLOCK_TICK_MS;

  private constructor(private readonly folders: Folders) {
    super();
  }

  /** Makes the folders where they are missing. */
  static async in(dataDir: string): Promise<FolderPackageStorage> {
    const folders = new Folders(dataDir);
    await folders.make();
    return new FolderPackageStorage(folders);
  }

  /** Ends the threads and closes the files; nothing may be under way. */
  async close(): Promise<void> {
    this.descriptors.close();
    await Promise.all([this.threads.sha1.close(), this.threads.sha256.close(), this.digests.close()]);
  }

  override async receive(source: Readable, options: ReceiveOptions = {}): Promise<StagedFile> {
    // Its error is told by the receiver; one that comes after a refusal must not end the process.
    source.on('error', () => undefined);
    await requireFreeSpace(this.folders.staging, options.expectedSize ?? 0);
    const path = this.folders.newUpload();
    try {
      return staged(path, await this.write(path, source, options.signal));
    } catch (error) {
      await this.discard(path);
      throw diskError(error, options.expectedSize);
    }
  }

  override async reserve(packageId: string, size: number): Promise<string> {
    const path = this.folders.replica(packageId);
    await this.reservations.make(path, size, this.folders.damaged(packageId));
    return path;
  }

  override async discardReplicaFile(packageId: string): Promise<void> {
    await rm(this.folders.damaged(packageId), { force: true });
    await this.discard(this.folders.replica(packageId));
  }

  override async openReserved(packageId: string): Promise<PublishedFile | null> {
    const file = await open(this.folders.replica(packageId), 'r').catch(unlessMissing);
    if (!file) return null;
    return { fd: file.fd, size: (await file.stat()).size, close: () => void file.close() };
  }

  override digest(path: string): Promise<string> {
    return this.digests.begin(path).finish();
  }

  override beginDigest(path: string): RunningDigest {
    return this.digests.begin(path);
  }

  override async digestPublished(packageId: string): Promise<string | null> {
    const file = await this.open(packageId);
    if (!file) return null;
    file.close();
    return this.digest(this.folders.package(packageId));
  }

  override damagedChunks(path: string, sha256: Uint8Array): Promise<readonly ChunkRange[]> {
    return this.digests.damagedChunks(path, sha256);
  }

  override async examine(packageId: string, content: PublishedContent, pace: Pace): Promise<FileDamage | null> {
    const check = (path: string): Promise<FileDamage | null> => examineFile(this.digests, path, content, pace);
    const damage = await check(this.folders.package(packageId));
    // It may have been taken out, and the process killed before that was recorded.
    return damage?.missing ? check(this.folders.damaged(packageId)) : damage;
  }

  override async quarantine(packageId: string): Promise<void> {
    await rename(this.folders.package(packageId), this.folders.damaged(packageId)).catch(unlessMissing);
    this.descriptors.forget(packageId);
    // What is remembered of an earlier reservation is not this file.
    this.reservations.forget(this.folders.replica(packageId));
    await syncFolder(this.folders.packages);
  }

  override async restore(packageId: string): Promise<void> {
    await restoreFile(this.folders.damaged(packageId), this.folders.package(packageId));
  }

  override async published(): Promise<ReadonlySet<string>> {
    return new Set(await readdir(this.folders.packages));
  }

  override async publish(stagedPath: string, packageId: string): Promise<void> {
    const file = await open(stagedPath, 'r+');
    try {
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(stagedPath, this.folders.package(packageId));
    this.reservations.forget(stagedPath);
    this.descriptors.forget(packageId);
    await syncFolder(this.folders.packages);
  }

  override async discard(stagedPath: string): Promise<void> {
    await rm(stagedPath, { force: true });
    this.reservations.forget(stagedPath);
  }

  override open(packageId: string): Promise<PublishedFile | null> {
    return this.descriptors.open(packageId, this.folders.package(packageId));
  }

  override async remove(packageId: string, stillUnwanted = async () => true): Promise<void> {
    const path = this.folders.package(packageId);
    const aside = this.folders.removed(packageId);
    await rename(path, aside).catch(unlessMissing);
    this.descriptors.forget(packageId);
    let unwanted = false;
    try {
      unwanted = await stillUnwanted();
    } finally {
      await (unwanted ? rm(aside, { force: true }) : restoreFile(aside, path));
      await syncFolder(this.folders.packages);
    }
  }

  /** What was changed since this process started is left alone: its event may be on its way. */
  override async sweep(wanted: { packages: ReadonlySet<string>; replicas: ReadonlySet<string> }): Promise<void> {
    await restoreRemoved(this.folders, wanted.packages);
    await restoreDamaged(this.folders, wanted.packages, wanted.replicas);
    await sweepFolder(this.folders.packages, (name) => wanted.packages.has(name), this.startedAt);
    const isWanted = (name: string): boolean => wanted.replicas.has(replicaIdOf(name) ?? damagedIdOf(name) ?? '');
    await sweepFolder(this.folders.staging, isWanted, this.startedAt);
  }

  override sweepUploads(): Promise<void> {
    return sweepFolder(this.folders.staging, (name) => !isUpload(name), Date.now() - ABANDONED_AFTER_MS);
  }

  private async write(path: string, source: Readable, signal?: AbortSignal): Promise<Received> {
    const file = await open(path, 'wx');
    const writer = new StagedWriter(file);
    try {
      return await new Receiver(source, this.slabs, this.threads, writer).run(signal);
    } finally {
      await writer.close();
    }
  }
}
