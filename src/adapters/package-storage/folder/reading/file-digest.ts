import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';

const BUFFER_SIZE = 1024 * 1024;
/** What gives the best speed while the bytes are in the page cache. */
const SLICE = 64 * 1024;

/** SHA-256 of one file, read in order and only as far as it has been told that the bytes are final. */
export class FileDigest {
  private readonly hash = createHash('sha256');
  private readonly buffers = [Buffer.allocUnsafeSlow(BUFFER_SIZE), Buffer.allocUnsafeSlow(BUFFER_SIZE)] as const;
  private readonly file: Promise<FileHandle>;
  private position = 0;
  private goal = 0;
  private work: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(path: string) {
    this.file = open(path, 'r');
    this.file.catch(() => undefined);
  }

  /** Reads on in the background; an error comes in `finish`. */
  advance(upTo: number): void {
    this.goal = Math.max(this.goal, upTo);
    this.work = this.work.then(() => this.readOn());
    this.work.catch(() => undefined);
  }

  async finish(): Promise<string> {
    this.advance((await (await this.file).stat()).size);
    await this.work;
    await this.close();
    return this.hash.digest('hex');
  }

  async close(): Promise<void> {
    this.stopped = true;
    await this.work.catch(() => undefined);
    await (await this.file).close();
  }

  /** While one buffer is hashed, the other is filled. */
  private async readOn(): Promise<void> {
    const file = await this.file;
    let [current, next] = this.buffers;
    let filled = this.read(file, current);
    while (this.position < this.goal && !this.stopped) {
      const count = await filled;
      if (count === 0) throw new Error('The file is shorter than expected');
      this.position += count;
      filled = this.read(file, next);
      this.update(current.subarray(0, count));
      [current, next] = [next, current];
    }
    await filled;
  }

  private async read(file: FileHandle, into: Buffer): Promise<number> {
    const length = Math.min(into.length, this.goal - this.position);
    return length <= 0 ? 0 : (await file.read(into, 0, length, this.position)).bytesRead;
  }

  private update(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += SLICE) this.hash.update(bytes.subarray(at, at + SLICE));
  }
}
