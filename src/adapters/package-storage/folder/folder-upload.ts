import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { type ContentDigests, type StagedUpload, WrongOffset } from '../../../ports/package-storage.port.js';
import { type HashThreads, Receiver } from './receiver.js';
import type { SlabPool } from './slab-pool.js';
import { StagedWriter } from './staged-writer.js';

/** What all uploads of a storage share. */
export interface UploadTools {
  readonly slabs: SlabPool;
  readonly threads: HashThreads;
  /** Makes a staged file the stored file of a package. */
  publishFile(path: string, packageId: string): Promise<void>;
}

/** Bytes that are read at a time. */
const READ_BYTES = 256 * 1024;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** An upload into a file of the staging folder. */
export class FolderUpload implements StagedUpload {
  private readonly receiver: Receiver;
  private isOpen = true;

  private constructor(
    private readonly path: string,
    private readonly writer: StagedWriter,
    private readonly tools: UploadTools,
  ) {
    this.receiver = new Receiver(tools.slabs, tools.threads, writer);
  }

  /** Makes the file at `path`. */
  static async begin(path: string, tools: UploadTools): Promise<FolderUpload> {
    return new FolderUpload(path, new StagedWriter(await open(path, 'wx')), tools);
  }

  get size(): number {
    return this.receiver.size;
  }

  async append(offset: number, source: Readable, signal?: AbortSignal): Promise<void> {
    if (offset !== this.size) throw new WrongOffset(this.size, offset);
    await this.receiver.receive(source, signal);
  }

  async finish(): Promise<ContentDigests> {
    const { size, sha1, sha256 } = await this.receiver.finish();
    await this.closeFile();
    const chunks = { sha1: asBuffer(sha1.chunks), sha256: asBuffer(sha256.chunks) };
    return { size, sha1: hex(sha1.whole), sha256: hex(sha256.whole), chunks };
  }

  readBytes(): AsyncIterable<Uint8Array> {
    return createReadStream(this.path, { highWaterMark: READ_BYTES });
  }

  async publish(packageId: string): Promise<void> {
    await this.tools.publishFile(this.path, packageId);
  }

  async discard(): Promise<void> {
    this.receiver.abandon();
    await this.closeFile();
    await rm(this.path, { force: true });
  }

  private async closeFile(): Promise<void> {
    if (!this.isOpen) return;
    this.isOpen = false;
    await this.writer.close();
  }
}
