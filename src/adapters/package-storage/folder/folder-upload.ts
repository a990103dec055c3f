import { createReadStream } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { type ContentDigests, type StagedUpload, WrongOffset } from '../../../ports/package-storage.port.js';
import { diskError } from './folders.js';
import { type HashThreads, Receiver, type SlabWriter } from './receiver.js';
import type { SlabPool } from './upload-hashing.js';

/** Bytes after which they are written back to the disk, so that little is left for the fsync at the end. */
const SYNC_EVERY_BYTES = 64 * 1024 * 1024;

/** Writes into one staged file at given positions, and begins to write back in the background. */
class StagedWriter implements SlabWriter {
  private unsynced = 0;
  private syncing: Promise<void> | null = null;
  private syncError: unknown = null;

  constructor(private readonly file: FileHandle) {}

  /** @throws StorageFull */
  async writeBytes(bytes: Buffer, position: number): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const { bytesWritten } = await this.file
        .write(bytes, done, bytes.length - done, position + done)
        .catch((error) => {
          throw diskError(error);
        });
      done += bytesWritten;
    }
    this.unsynced += bytes.length;
    if (this.unsynced >= SYNC_EVERY_BYTES) this.syncSoon();
  }

  /** Resolves when everything that was written is on the disk. @throws StorageFull */
  async finishWriting(): Promise<void> {
    await this.syncing;
    if (!this.syncError) await this.syncFile();
    if (this.syncError) throw diskError(this.syncError);
  }

  /** Closes the file when nothing is being written back any more. */
  async close(): Promise<void> {
    await this.syncing;
    await this.file.close();
  }

  private syncSoon(): void {
    if (this.syncing) return;
    this.unsynced = 0;
    this.syncing = this.syncFile();
  }

  /** Linux reports an error of writing back only once for a descriptor, so it is kept for `finish`. */
  private async syncFile(): Promise<void> {
    await this.file.datasync().catch((error: unknown) => {
      this.syncError = error;
    });
    this.syncing = null;
  }
}

/** The parts that all uploads of a storage share. */
interface UploadTools {
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
