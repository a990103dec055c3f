import type { FileHandle } from 'node:fs/promises';
import { diskError } from './disk-errors.js';

/** Start writing back after so many bytes, so that little is left for the fsync at the end. */
const SYNC_EVERY_BYTES = 64 * 1024 * 1024;

/** Positional writes into one staging file, with write-back begun in the background. */
export class StagedWriter {
  private unsynced = 0;
  private syncing: Promise<void> | null = null;
  private syncError: unknown = null;

  constructor(private readonly file: FileHandle) {}

  /** @throws StorageFull */
  async write(bytes: Buffer, position: number): Promise<void> {
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

  /** Everything that was written is on the disk. */
  async finish(): Promise<void> {
    await this.syncing;
    if (!this.syncError) await this.sync();
    if (this.syncError) throw diskError(this.syncError);
  }

  /** Closes the file once no write-back is under way. */
  async close(): Promise<void> {
    await this.syncing;
    await this.file.close();
  }

  private syncSoon(): void {
    if (this.syncing) return;
    this.unsynced = 0;
    this.syncing = this.sync();
  }

  /** Linux tells a descriptor of a write-back error once only, so it is kept for `finish`. */
  private async sync(): Promise<void> {
    await this.file.datasync().catch((error: unknown) => {
      this.syncError = error;
    });
    this.syncing = null;
  }
}
