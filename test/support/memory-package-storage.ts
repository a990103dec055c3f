import { createHash, type Hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { addRange, CHUNK_SIZE, type ChunkRange } from '../../src/kernel/chunk-ranges.js';
import {
  type ContentDigests,
  type ExpectedContent,
  type FileDamage,
  PackageStorage,
  type ReadPace,
  type ReplicaFile,
  type RunningDigest,
  type StagedUpload,
  StorageFull,
  type StoredFile,
  type SweepReport,
  type UnclaimedFiles,
  type WantedFiles,
  WrongOffset,
} from '../../src/ports/package-storage.port.js';

const DIGEST_BYTES = 32;
const digest = (algorithm: string, bytes: Uint8Array): Buffer => createHash(algorithm).update(bytes).digest();
const chunkOf = (bytes: Buffer, index: number): Buffer => bytes.subarray(index * CHUNK_SIZE, (index + 1) * CHUNK_SIZE);

interface MemoryFile {
  bytes: Buffer;
  changedAt: number;
}

const newFile = (bytes: Buffer): MemoryFile => ({ bytes, changedAt: performance.now() });

/** What outlives a restart: the files of one server by package id, and uploads by number. */
export class MemoryFiles {
  readonly packages = new Map<string, MemoryFile>();
  readonly quarantined = new Map<string, MemoryFile>();
  readonly replicas = new Map<string, MemoryFile>();
  readonly uploads = new Map<number, MemoryFile>();
  readonly unclaimed = new Map<string, MemoryFile & { readonly packageId: string; announcedAt: Date | null }>();
  lastUpload = 0;
}

/** Keeps packages in memory, without local files. Opened again on the same files it is the storage after a restart. */
export class MemoryPackageStorage extends PackageStorage {
  readonly local = null;
  private readonly startedAt = performance.now();

  constructor(
    private readonly files = new MemoryFiles(),
    /** How many bytes fit. */
    private readonly capacity = 2 ** 40,
  ) {
    super();
  }

  async beginUpload(expectedSize = 0): Promise<StagedUpload> {
    this.requireSpace(expectedSize);
    return new MemoryUpload(this.files, (size) => this.requireSpace(size));
  }

  readonly unclaimed: UnclaimedFiles = {
    list: async () =>
      [...this.files.unclaimed].map(([name, { packageId, bytes, announcedAt }]) => ({
        name,
        packageId,
        size: bytes.length,
        since: new Date(0),
        announcedAt,
      })),
    noteAnnounced: async (names) => {
      for (const name of names) {
        const file = this.files.unclaimed.get(name);
        if (file) file.announcedAt ??= new Date();
      }
    },
    remove: async (names) => {
      for (const name of names) this.files.unclaimed.delete(name);
    },
  };

  /** A place in memory is always there. */
  async claimPlace(): Promise<void> {}

  async checkPlace(): Promise<void> {}

  async reserveReplica(packageId: string, size: number): Promise<ReplicaFile> {
    this.requireSpace(size);
    const known = this.files.quarantined.get(packageId) ?? this.files.replicas.get(packageId);
    this.files.quarantined.delete(packageId);
    const bytes = Buffer.alloc(size);
    known?.bytes.copy(bytes);
    const file = known?.bytes.length === size ? known : newFile(bytes);
    this.files.replicas.set(packageId, file);
    return new MemoryReplica(packageId, size, this.files);
  }

  async openReplica(packageId: string): Promise<StoredFile | null> {
    return openFile(this.files.replicas.get(packageId));
  }

  async discardReplica(packageId: string): Promise<void> {
    this.files.replicas.delete(packageId);
    this.files.quarantined.delete(packageId);
  }

  async openStored(packageId: string): Promise<StoredFile | null> {
    return openFile(this.files.packages.get(packageId));
  }

  async digestStored(packageId: string): Promise<string | null> {
    const file = this.files.packages.get(packageId);
    return file ? digest('sha256', file.bytes).toString('hex') : null;
  }

  async findDamage(packageId: string, { size, sha256 }: ExpectedContent, pace: ReadPace): Promise<FileDamage | null> {
    const file = this.files.packages.get(packageId) ?? this.files.quarantined.get(packageId);
    const chunkCount = sha256.length / DIGEST_BYTES;
    if (!file) return { lost: addRange([], { first: 0, count: chunkCount }), missing: true };
    for (let chunk = 0; chunk < chunkCount; chunk++) await pace(Math.min(CHUNK_SIZE, size - chunk * CHUNK_SIZE));
    const lost = damagedChunks(file.bytes, sha256);
    return lost.length === 0 && file.bytes.length === size ? null : { lost, missing: false };
  }

  async quarantine(packageId: string): Promise<void> {
    moveFile(packageId, this.files.packages, this.files.quarantined);
  }

  async restore(packageId: string): Promise<void> {
    if (this.files.packages.has(packageId)) this.files.quarantined.delete(packageId);
    else moveFile(packageId, this.files.quarantined, this.files.packages);
  }

  async listStored(): Promise<ReadonlySet<string>> {
    return new Set(this.files.packages.keys());
  }

  async removeStored(packageId: string, stillUnwanted = async () => true): Promise<void> {
    const removed = this.files.packages.get(packageId);
    this.files.packages.delete(packageId);
    let unwanted = false;
    try {
      unwanted = await stillUnwanted();
    } finally {
      if (removed && !unwanted && !this.files.packages.has(packageId)) this.files.packages.set(packageId, removed);
    }
  }

  async hasCandidate(packageId: string): Promise<boolean> {
    return this.files.packages.has(packageId) || this.unclaimedOf(packageId).length > 0;
  }

  async reclaim(packageId: string, { size, sha256 }: { size: number; sha256: string }): Promise<boolean> {
    const isWhole = (file?: MemoryFile): boolean =>
      file?.bytes.length === size && digest('sha256', file.bytes).toString('hex') === sha256;
    const whole = this.unclaimedOf(packageId).filter(([, file]) => isWhole(file));
    const [first] = whole;
    if (!isWhole(this.files.packages.get(packageId))) {
      if (!first) return false;
      this.files.packages.set(packageId, first[1]);
    }
    for (const [name] of whole) this.files.unclaimed.delete(name);
    return true;
  }

  async sweepUnwanted({ packages, replicas }: WantedFiles): Promise<SweepReport> {
    for (const packageId of this.files.quarantined.keys())
      if (packages.has(packageId) && !replicas.has(packageId)) await this.restore(packageId);
    const unclaimed = { count: 0, size: 0 };
    for (const [folder, files, wanted] of [
      ['packages', this.files.packages, packages],
      ['quarantined', this.files.quarantined, replicas],
      ['replicas', this.files.replicas, replicas],
    ] as const) {
      for (const [packageId, file] of takeOld(files, this.startedAt, (id) => wanted.has(id))) {
        this.files.unclaimed.set(`${folder}/${packageId}/${file.changedAt}`, { ...file, packageId, announcedAt: null });
        unclaimed.count += 1;
        unclaimed.size += file.bytes.length;
      }
    }
    const uploads = takeOld(this.files.uploads, this.startedAt, () => false);
    const size = uploads.reduce((sum, [, { bytes }]) => sum + bytes.length, 0);
    return { uploads: { count: uploads.length, size }, unclaimed, refused: [] };
  }

  /** No upload of a process in memory is an hour old. */
  async sweepUploads(): Promise<void> {}

  /** Ends nothing: a process in memory has no threads and no descriptors. */
  async close(): Promise<void> {}

  private unclaimedOf(packageId: string) {
    return [...this.files.unclaimed].filter(([, file]) => file.packageId === packageId);
  }

  private requireSpace(size: number): void {
    if (size > this.capacity) throw new StorageFull(size);
  }
}

/** Takes out the files that an earlier process left and nobody wants. */
function takeOld<K>(files: Map<K, MemoryFile>, before: number, isWanted: (key: K) => boolean): [K, MemoryFile][] {
  const old = [...files].filter(([key, file]) => !isWanted(key) && file.changedAt < before);
  for (const [key] of old) files.delete(key);
  return old;
}

function moveFile(packageId: string, from: Map<string, MemoryFile>, to: Map<string, MemoryFile>): void {
  const file = from.get(packageId);
  from.delete(packageId);
  if (file) to.set(packageId, file);
}

/** Readers keep what they have opened. */
function openFile(file: MemoryFile | undefined): StoredFile | null {
  if (!file) return null;
  return {
    size: file.bytes.length,
    read: async (into, length, position) => file.bytes.copy(into, 0, position, position + length),
    close: () => undefined,
  };
}

function damagedChunks(bytes: Buffer, sha256: Uint8Array): ChunkRange[] {
  let damaged: ChunkRange[] = [];
  for (let chunk = 0; chunk * DIGEST_BYTES < sha256.length; chunk++) {
    const expected = sha256.subarray(chunk * DIGEST_BYTES, (chunk + 1) * DIGEST_BYTES);
    if (!digest('sha256', chunkOf(bytes, chunk)).equals(expected))
      damaged = addRange(damaged, { first: chunk, count: 1 });
  }
  return damaged;
}

class MemoryUpload implements StagedUpload {
  private readonly number: number;
  private readonly file = newFile(Buffer.alloc(0));

  constructor(
    private readonly files: MemoryFiles,
    private readonly requireSpace: (size: number) => void,
  ) {
    this.number = files.lastUpload += 1;
    files.uploads.set(this.number, this.file);
  }

  get size(): number {
    return this.file.bytes.length;
  }

  async append(offset: number, source: Readable, signal?: AbortSignal): Promise<void> {
    if (offset !== this.size) throw new WrongOffset(this.size, offset);
    const parts = [this.file.bytes];
    const stop = (): void => void source.destroy(signal?.reason);
    if (signal?.aborted) stop();
    signal?.addEventListener('abort', stop);
    try {
      for await (const part of source) parts.push(part);
    } finally {
      signal?.removeEventListener('abort', stop);
      this.file.bytes = Buffer.concat(parts);
      this.file.changedAt = performance.now();
    }
    this.requireSpace(this.size);
  }

  async finish(): Promise<ContentDigests> {
    const { bytes } = this.file;
    const ofChunks = (algorithm: string): Buffer =>
      Buffer.concat(
        Array.from({ length: Math.ceil(bytes.length / CHUNK_SIZE) }, (_, i) => digest(algorithm, chunkOf(bytes, i))),
      );
    return {
      size: bytes.length,
      sha1: digest('sha1', bytes).toString('hex'),
      sha256: digest('sha256', bytes).toString('hex'),
      chunks: { sha1: ofChunks('sha1'), sha256: ofChunks('sha256') },
    };
  }

  async *readBytes(): AsyncGenerator<Uint8Array> {
    yield this.file.bytes;
  }

  async publish(packageId: string): Promise<void> {
    this.files.uploads.delete(this.number);
    this.files.packages.set(packageId, newFile(this.file.bytes));
  }

  async discard(): Promise<void> {
    this.files.uploads.delete(this.number);
  }
}

class MemoryReplica implements ReplicaFile {
  readonly localPath = null;

  constructor(
    readonly packageId: string,
    readonly size: number,
    private readonly files: MemoryFiles,
  ) {}

  async writeVerified(chunk: number, bytes: Uint8Array): Promise<void> {
    const file = this.requireFile();
    file.bytes.set(bytes, chunk * CHUNK_SIZE);
    file.changedAt = performance.now();
  }

  beginDigest(): RunningDigest {
    const hash: Hash = createHash('sha256');
    let done = 0;
    const advance = (upTo: number): void => {
      hash.update(this.requireFile().bytes.subarray(done, upTo));
      done = Math.max(done, upTo);
    };
    return {
      advance,
      finish: async () => {
        advance(this.size);
        return hash.digest('hex');
      },
      drop: () => undefined,
    };
  }

  async findDamagedChunks(sha256: Uint8Array): Promise<readonly ChunkRange[]> {
    return damagedChunks(this.requireFile().bytes, sha256);
  }

  async publish(): Promise<void> {
    const { bytes } = this.requireFile();
    this.files.replicas.delete(this.packageId);
    this.files.packages.set(this.packageId, newFile(bytes));
  }

  private requireFile(): MemoryFile {
    const file = this.files.replicas.get(this.packageId);
    if (!file) throw new Error(`There is no replica of ${this.packageId}`);
    return file;
  }
}
