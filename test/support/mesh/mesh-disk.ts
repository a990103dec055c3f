import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { CHUNK_SIZE, addRange, missingRanges, type ChunkRange } from '../../../src/kernel/chunk-ranges.js';
import {
  type ContentDigests,
  PackageStorage,
  type ReplicaFile,
  type StagedUpload,
  type StoredFile,
  type SweepReport,
  type WantedFiles,
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

  get digests(): ContentDigests {
    const chunks = (algorithm: 'sha1' | 'sha256'): Buffer =>
      Buffer.concat(Array.from({ length: this.chunkCount }, (_, i) => digest(algorithm, `${this.title}/${i}`)));
    const sha1 = digest('sha1', this.title).toString('hex');
    const digests = { sha1: chunks('sha1'), sha256: chunks('sha256') };
    return { size: this.chunkCount * CHUNK_SIZE, sha1, sha256: this.sha256, chunks: digests };
  }
}

/** What a server keeps on its disk: SHA-256 of what is published, and which chunks of what is being fetched are there. */
export class DiskContents {
  readonly published = new Map<string, string>();
  readonly staged = new Map<string, readonly ChunkRange[]>();
  readonly uploads = new Map<string, string>();
  readonly aside = new Map<string, string>();
  /** Files that nothing claimed at a start. They are kept, and nobody serves them. */
  readonly unclaimed = new Map<string, string>();
}

const unused = (): never => {
  throw new Error('not part of the mesh');
};

/** The disk as one run of the process sees it. */
export class MeshDisk extends PackageStorage {
  readonly local = null;
  readonly unclaimed = { list: unused, noteAnnounced: unused, remove: unused };
  private uploadCount = 0;

  constructor(
    private readonly disk: DiskContents,
    private readonly gate: Gate,
    private readonly life: Life,
  ) {
    super();
  }

  override async beginUpload(): Promise<StagedUpload> {
    return new MeshUpload(`upload-${(this.uploadCount += 1)}`, this.disk, () => this.gate.pass(this.life));
  }

  override async reserveReplica(packageId: string): Promise<ReplicaFile> {
    await this.gate.pass(this.life);
    if (!this.disk.staged.has(packageId)) this.disk.staged.set(packageId, []);
    return {
      packageId,
      size: 0,
      localPath: null,
      writeVerified: unused,
      beginDigest: unused,
      findDamagedChunks: unused,
      publish: unused,
    };
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

  override async discardReplica(packageId: string): Promise<void> {
    await this.gate.pass(this.life);
    this.disk.staged.delete(packageId);
  }

  override async digestStored(packageId: string): Promise<string | null> {
    await this.gate.pass(this.life);
    return this.disk.published.get(packageId) ?? null;
  }

  override async openStored(packageId: string): Promise<StoredFile | null> {
    await this.gate.pass(this.life);
    return this.disk.published.has(packageId) ? { size: 0, read: unused, close: () => undefined } : null;
  }

  override async removeStored(packageId: string, stillUnwanted = async () => true): Promise<void> {
    await this.gate.pass(this.life);
    const file = this.disk.published.get(packageId);
    this.disk.published.delete(packageId);
    if (file !== undefined) this.disk.aside.set(packageId, file);
    const unwanted = await stillUnwanted();
    await this.gate.pass(this.life);
    this.settle(packageId, !unwanted);
  }

  override async sweepUnwanted(wanted: WantedFiles): Promise<SweepReport> {
    for (const packageId of this.disk.aside.keys()) this.settle(packageId, wanted.packages.has(packageId));
    for (const [packageId, sha256] of this.disk.published) {
      if (wanted.packages.has(packageId)) continue;
      this.disk.published.delete(packageId);
      this.disk.unclaimed.set(packageId, sha256);
    }
    for (const packageId of this.disk.staged.keys())
      if (!wanted.replicas.has(packageId)) this.disk.staged.delete(packageId);
    this.disk.uploads.clear();
    return { uploads: { count: 0, size: 0 }, unclaimed: { count: 0, size: 0 }, refused: [] };
  }

  override async hasCandidate(packageId: string): Promise<boolean> {
    await this.gate.pass(this.life);
    return this.disk.published.has(packageId) || this.disk.unclaimed.has(packageId);
  }

  override async reclaim(packageId: string, { sha256 }: { sha256: string }): Promise<boolean> {
    await this.gate.pass(this.life);
    if (this.disk.published.get(packageId) !== sha256) {
      if (this.disk.unclaimed.get(packageId) !== sha256) return false;
      this.disk.published.set(packageId, sha256);
    }
    this.disk.unclaimed.delete(packageId);
    return true;
  }

  private settle(packageId: string, wanted: boolean): void {
    const file = this.disk.aside.get(packageId);
    this.disk.aside.delete(packageId);
    if (wanted && file !== undefined && !this.disk.published.has(packageId)) this.disk.published.set(packageId, file);
  }

  override async listStored(): Promise<ReadonlySet<string>> {
    await this.gate.pass(this.life);
    return new Set(this.disk.published.keys());
  }

  override openReplica(): Promise<null> {
    return unused();
  }

  override async claimPlace(): Promise<void> {}

  override async checkPlace(): Promise<void> {}

  override findDamage(): Promise<null> {
    return unused();
  }

  override quarantine(): Promise<void> {
    return unused();
  }

  override restore(): Promise<void> {
    return unused();
  }

  override sweepUploads(): Promise<void> {
    return unused();
  }
}

/** An upload of Content, which arrives at once. */
class MeshUpload implements StagedUpload {
  private content: Content | null = null;

  constructor(
    private readonly name: string,
    private readonly disk: DiskContents,
    private readonly passGate: () => Promise<void>,
  ) {}

  get size(): number {
    return this.content?.digests.size ?? 0;
  }

  async append(_offset: number, source: Readable): Promise<void> {
    if (!(source instanceof Content)) throw new Error('The mesh takes Content only');
    await this.passGate();
    this.content = source;
    this.disk.uploads.set(this.name, source.sha256);
  }

  async finish(): Promise<ContentDigests> {
    return this.content?.digests ?? unused();
  }

  readBytes(): AsyncIterable<Uint8Array> {
    return unused();
  }

  async publish(packageId: string): Promise<void> {
    await this.passGate();
    const sha256 = this.disk.uploads.get(this.name);
    if (sha256 === undefined) throw new Error(`${this.name} is not there`);
    this.disk.uploads.delete(this.name);
    this.disk.published.set(packageId, sha256);
  }

  async discard(): Promise<void> {
    this.disk.uploads.delete(this.name);
  }
}
