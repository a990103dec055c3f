import type { FileHandle } from 'node:fs/promises';
import { diskError } from './disk-errors.js';

/** Bytes after which they are written back to the disk, so that little is left for the fsync at the end. */
const SYNC_EVERY_BYTES = 64 * 1024 * 1024;

/** Writes into one staged file at given positions, and begins to write back in the background. */
export class StagedWriter {
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
