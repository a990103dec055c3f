import { read } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import type { StoredFile } from '../../../ports/package-storage.port.js';
import { unlessMissing } from './folders.js';

interface Entry {
  readonly handle: FileHandle;
  readonly size: number;
  readonly inode: number;
  /** Milliseconds on the monotonic clock when the file was last seen at its path. */
  seenAt: number;
  users: number;
  idleTicks: number;
  /** True when the file has left the pool. Its last user closes it. */
  retired: boolean;
  closed: boolean;
}

/** A removed file keeps its disk space while a descriptor is open, so an unused one is closed after one or two intervals. */
const IDLE_CHECK_MS = 30_000;
/** Another process may remove or replace a file, so a descriptor that is lent is compared with the file at this interval. */
const PLACE_CHECK_MS = 1_000;

/** Open files by package id. Readers of one package share a descriptor; the least recently used files leave first. */
export class DescriptorPool {
  private readonly entries = new Map<string, Entry>();
  private readonly opening = new Map<string, Promise<Entry | null>>();
  private readonly timer = setInterval(() => this.closeIdle(), IDLE_CHECK_MS).unref();

  constructor(private readonly limit: number) {}

  /** Opens the file of a package, or shares one that is open. Null when the file does not exist. */
  async openFile(packageId: string, path: string): Promise<StoredFile | null> {
    const pooled = this.entries.get(packageId);
    if (pooled && (await this.isInPlace(pooled, path))) return this.lendEntry(packageId, pooled);
    if (pooled && this.entries.get(packageId) === pooled) this.forgetFile(packageId);
    const entry = await this.openOnce(packageId, path);
    // It may have been closed again while it was being opened.
    if (entry?.closed) return this.openFile(packageId, path);
    return entry && this.lendEntry(packageId, entry);
  }

  /** Makes the next `openFile` open the file again. Readers keep the file that they have. */
  forgetFile(packageId: string): void {
    this.opening.delete(packageId);
    const entry = this.entries.get(packageId);
    if (!entry) return;
    this.entries.delete(packageId);
    this.retireEntry(entry);
  }

  closeAll(): void {
    clearInterval(this.timer);
    for (const packageId of this.entries.keys()) this.forgetFile(packageId);
  }

  private lendEntry(packageId: string, entry: Entry): StoredFile {
    entry.users += 1;
    entry.idleTicks = 0;
    if (!entry.retired) {
      this.entries.delete(packageId);
      this.entries.set(packageId, entry);
    }
    let closed = false;
    const close = (): void => {
      if (closed) return;
      closed = true;
      entry.users -= 1;
      if (entry.retired) this.retireEntry(entry);
    };
    return storedFile(entry.handle, entry.size, close);
  }

  private async isInPlace(entry: Entry, path: string): Promise<boolean> {
    const now = performance.now();
    if (now - entry.seenAt < PLACE_CHECK_MS) return !entry.closed;
    entry.seenAt = now;
    const found = await stat(path).catch(unlessMissing);
    return found?.ino === entry.inode && !entry.closed;
  }

  private openOnce(packageId: string, path: string): Promise<Entry | null> {
    const under = this.opening.get(packageId);
    if (under) return under;
    const opening: Promise<Entry | null> = this.openEntry(path)
      .then((entry) => {
        if (entry) this.keepEntry(packageId, entry, this.opening.get(packageId) === opening);
        return entry;
      })
      .finally(() => {
        if (this.opening.get(packageId) === opening) this.opening.delete(packageId);
      });
    this.opening.set(packageId, opening);
    return opening;
  }

  private async openEntry(path: string): Promise<Entry | null> {
    const handle = await open(path, 'r').catch(unlessMissing);
    if (!handle) return null;
    const { size, ino: inode } = await handle.stat();
    return { handle, size, inode, seenAt: performance.now(), users: 0, idleTicks: 0, retired: false, closed: false };
  }

  /** Adds a file to the pool. A file that was forgotten while it was being opened is used only by the callers that already wait for it. */
  private keepEntry(packageId: string, entry: Entry, current: boolean): void {
    entry.retired = !current;
    if (!current) return;
    this.entries.set(packageId, entry);
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= this.limit) break;
      this.forgetFile(oldest);
    }
  }

  private retireEntry(entry: Entry): void {
    entry.retired = true;
    if (entry.users > 0 || entry.closed) return;
    entry.closed = true;
    void entry.handle.close();
  }

  private closeIdle(): void {
    for (const [packageId, entry] of this.entries) {
      if (entry.users > 0) entry.idleTicks = 0;
      else if ((entry.idleTicks += 1) > 1) this.forgetFile(packageId);
    }
  }
}

/** A file for readers. Its reads use the descriptor by callback, which costs less than a promise of `node:fs/promises`. */
export const storedFile = ({ fd }: FileHandle, size: number, close: () => void): StoredFile => ({
  size,
  read: (into, length, position) =>
    new Promise((resolve, reject) => {
      read(fd, into, 0, length, position, (error, count) => {
        if (error) reject(error);
        else resolve(count);
      });
    }),
  close,
});
