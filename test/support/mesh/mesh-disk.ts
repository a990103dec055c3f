import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { CHUNK_SIZE, addRange, missingRanges, type ChunkRange } from '../../../src/kernel/chunk-ranges.js';
import {
  PackageStorage,
  type PublishedFile,
  type RunningDigest,
  type StagedFile,
} from '../../../src/ports/package-storage.port.js';
import type { Gate, Life } from './gate.js';

const digest = (algorithm: 'sha1' | 'sha256', text: string): Buffer => createHash(algorithm).update(text).digest();

/** Stands for bytes: its digests follow from its name. */
export class Content extends Readable {
  constructor(
    readonly title: string,
    readonly chunkCount: number,
  ) {
    super({ read() {} });
  }

  get sha256(): string {
    return digest('sha256', this.title).toString('hex');
  }

  staged(path: string): StagedFile {
    const chunks = (algorithm: 'sha1' | 'sha256'): Buffer =>
      Buffer.concat(Array.from({ length: this.chunkCount }, (_, i) => digest(algorithm, `${this.title}/${i}`)));
    const sha1 = digest('sha1', this.title).toString('hex');
    const digests = { sha1: chunks('sha1'), sha256: chunks('sha256') };
    return { path, size: this.chunkCount * CHUNK_SIZE, sha1, sha256: this.sha256, chunks: digests };
  }
}

/** What a server keeps on its disk: SHA-256 of what is published, and which chunks of what is being fetched are there. */
export class DiskContents {
  readonly published = new Map<string, string>();
  readonly staged = new Map<string, readonly ChunkRange[]>();
  readonly uploads = new Map<string, string>();
  readonly aside = new Map<string, string>();
}

const unused = (): never => {
  throw new Error('not part of the mesh');
};

/** The disk as one run of the process sees it. The path of what is being fetched is the id of its package. */
export class MeshDisk extends PackageStorage {
  private uploadCount = 0;

  constructor(
    private readonly disk: DiskContents,
    private readonly gate: Gate,
    private readonly life: Life,
  ) {
    super();
  }

  override async receive(source: Readable): Promise<StagedFile> {
    if (!(source instanceof Content)) throw new Error('The mesh takes Content only');
    await this.gate.pass(this.life);
    const path = `upload-${(this.uploadCount += 1)}`;
    this.disk.uploads.set(path, source.sha256);
    return source.staged(path);
  }

  override async reserve(packageId: string): Promise<string> {
    await this.gate.pass(this.life);
    if (!this.disk.staged.has(packageId)) this.disk.staged.set(packageId, []);
    return packageId;
  }

  /** As into an open file: what is written to one that is gone is lost. */
  write(packageId: string, run: ChunkRange): void {
    const runs = this.disk.staged.get(packageId);
    if (runs) this.disk.staged.set(packageId, addRange(runs, run));
  }

  missing(packageId: string, chunkCount: number): readonly ChunkRange[] {
    return missingRanges(this.disk.staged.get(packageId) ?? [], chunkCount);
  }

  /** All of its chunks are there. */
  async finish(packageId: string, sha256: string): Promise<void> {
    await this.gate.pass(this.life);
    if (this.disk.staged.delete(packageId)) this.disk.published.set(packageId, sha256);
  }

  override async publish(path: string, packageId: string): Promise<void> {
    await this.gate.pass(this.life);
    const sha256 = this.disk.uploads.get(path);
    if (sha256 === undefined) throw new Error(`${path} is not there`);
    this.disk.uploads.delete(path);
    this.disk.published.set(packageId, sha256);
  }

  override async discardReplicaFile(packageId: string): Promise<void> {
    await this.gate.pass(this.life);
    this.disk.staged.delete(packageId);
  }

  override async discard(path: string): Promise<void> {
    this.disk.uploads.delete(path);
  }

  override async digestPublished(packageId: string): Promise<string | null> {
    await this.gate.pass(this.life);
    return this.disk.published.get(packageId) ?? null;
  }

  override async open(packageId: string): Promise<PublishedFile | null> {
    await this.gate.pass(this.life);
    return this.disk.published.has(packageId) ? { fd: 0, size: 0, close: () => undefined } : null;
  }

  override async remove(packageId: string, stillUnwanted = async () => true): Promise<void> {
    await this.gate.pass(this.life);
    const file = this.disk.published.get(packageId);
    this.disk.published.delete(packageId);
    if (file !== undefined) this.disk.aside.set(packageId, file);
    const unwanted = await stillUnwanted();
    await this.gate.pass(this.life);
    this.settle(packageId, !unwanted);
  }

  override async sweep(wanted: { packages: ReadonlySet<string>; replicas: ReadonlySet<string> }): Promise<void> {
    for (const packageId of this.disk.aside.keys()) this.settle(packageId, wanted.packages.has(packageId));
    for (const packageId of this.disk.published.keys())
      if (!wanted.packages.has(packageId)) this.disk.published.delete(packageId);
    for (const packageId of this.disk.staged.keys())
      if (!wanted.replicas.has(packageId)) this.disk.staged.delete(packageId);
    this.disk.uploads.clear();
  }

  private settle(packageId: string, wanted: boolean): void {
    const file = this.disk.aside.get(packageId);
    this.disk.aside.delete(packageId);
    if (wanted && file !== undefined && !this.disk.published.has(packageId)) this.disk.published.set(packageId, file);
  }

  override async published(): Promise<ReadonlySet<string>> {
    await this.gate.pass(this.life);
    return new Set(this.disk.published.keys());
  }

  override openReserved(): Promise<null> {
    return unused();
  }

  override examine(): Promise<null> {
    return unused();
  }

  override quarantine(): Promise<void> {
    return unused();
  }

  override restore(): Promise<void> {
    return unused();
  }

  override digest(): Promise<string> {
    return unused();
  }

  override beginDigest(): RunningDigest {
    return unused();
  }

  override damagedChunks(): Promise<readonly ChunkRange[]> {
    return unused();
  }

  override sweepUploads(): Promise<void> {
    return unused();
  }
}
