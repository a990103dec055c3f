import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { StoredFile } from '../../../ports/package-storage.port.js';
import type { ByteRange } from './file-request.js';

/** A pool of buffers of one size, which are reused. At most `keep` buffers are in use at a time. */
class BufferPool {
  private readonly idle: Buffer[] = [];
  private out = 0;

  constructor(
    readonly size: number,
    private readonly keep: number,
  ) {}

  /** Takes a buffer from the pool. Returns null when all are in use. */
  takeBuffer(): Buffer | null {
    if (this.out === this.keep) return null;
    this.out += 1;
    return this.idle.pop() ?? Buffer.allocUnsafeSlow(this.size);
  }

  giveBack(buffer: Buffer): void {
    this.out -= 1;
    this.idle.push(buffer);
  }
}

/** Limits the rate of downloads. Several downloads may share one limit. */
export interface Pace {
  readonly bytesPerSecond: number;
  /** Maximum number of bytes that are written at a time. */
  readonly pieceBytes: number;
  /** Counts bytes and returns how many milliseconds to wait before they may be written. */
  useBytes(bytes: number): number;
}

/** A range of the file, and text that is written before it. */
interface Part extends ByteRange {
  readonly head?: string;
}

/** Limit for a small file, in bytes. Such a file is sent in one read and one write. */
export const SMALL_BYTES = 64 * 1024;
/** All downloads share 64 buffers of 1 MiB. When all of them are in use, a download uses small buffers. */
const largeBuffers = new BufferPool(1024 * 1024, 64);
const smallBuffers = new BufferPool(SMALL_BYTES, 256);
/** A client that needs longer for one buffer gets small ones, so that slow clients do not occupy the large ones. */
const SLOW_WRITE_MS = 500;

interface Block {
  readonly bytes: Buffer;
  give(): void;
}

function borrowBuffer(wanted: number, slow: boolean): Block {
  for (const pool of slow || wanted <= SMALL_BYTES ? [smallBuffers] : [largeBuffers, smallBuffers]) {
    const bytes = pool.takeBuffer();
    if (bytes) return { bytes, give: () => pool.giveBack(bytes) };
  }
  return { bytes: Buffer.allocUnsafeSlow(Math.min(SMALL_BYTES, wanted)), give: () => undefined };
}

/** The stored file does not have the size of its package, because something outside this program has changed it. */
export class FileTooShort extends Error {}

/** Reads at least one byte. @throws FileTooShort when the file has no byte at this position */
async function readSome(file: StoredFile, into: Buffer, length: number, position: number): Promise<number> {
  const count = await file.read(into, length, position);
  if (count === 0) throw new FileTooShort('The file is shorter than expected');
  return count;
}

class RangeSender {
  private slow = false;
  private gone: () => void = () => undefined;
  private readonly closed: Promise<'closed'>;

  constructor(
    private readonly response: ServerResponse,
    private readonly file: StoredFile,
    private readonly pace: Pace | null,
  ) {
    this.closed = new Promise((resolve) => {
      this.gone = () => resolve('closed');
    });
    response.once('close', this.gone);
    if (response.destroyed) this.gone();
  }

  /**
   * Sends one part. While one buffer is being written, the next one is being filled. Returns false when the client has
   * closed the connection.
   * @throws FileTooShort when the file ends before the part does
   */
  async sendPart({ head, start, end }: Part): Promise<boolean> {
    if (head !== undefined) this.response.write(head);
    let position = start;
    let next = this.fillBlock(position, end);
    while (position < end) {
      const { block, count } = await next;
      position += count;
      if (position < end) next = this.fillBlock(position, end);
      await this.waitForPace(count);
      const sent = await this.writeBytes(block.bytes.subarray(0, count));
      block.give();
      if (sent) continue;
      if (position < end)
        await next.then(
          (unsent) => unsent.block.give(),
          () => undefined,
        );
      return false;
    }
    return true;
  }

  /** Prevents an unhandled rejection when reading fails before the caller awaits the promise. */
  private fillBlock(position: number, end: number): Promise<{ block: Block; count: number }> {
    const filled = this.readBlock(position, end);
    filled.catch(() => undefined);
    return filled;
  }

  private async readBlock(position: number, end: number): Promise<{ block: Block; count: number }> {
    const wanted = Math.min(end - position, this.pace?.pieceBytes ?? Infinity);
    const block = borrowBuffer(wanted, this.slow);
    try {
      const count = await readSome(this.file, block.bytes, Math.min(block.bytes.length, wanted), position);
      return { block, count };
    } catch (error) {
      block.give();
      throw error;
    }
  }

  private async waitForPace(count: number): Promise<void> {
    const waitMs = this.pace?.useBytes(count) ?? 0;
    if (waitMs >= 1) await Promise.race([delay(waitMs, undefined, { ref: false }), this.closed]);
  }

  /**
   * Resolves with true when the operating system has taken the bytes, so that the buffer can be reused, and with false
   * when the client has closed the connection.
   */
  private async writeBytes(bytes: Buffer): Promise<boolean> {
    const since = performance.now();
    const written = new Promise<'written' | 'closed'>((resolve) => {
      this.response.write(bytes, (error) => resolve(error ? 'closed' : 'written'));
    });
    const outcome = await Promise.race([written, this.closed]);
    this.slow = performance.now() - since > SLOW_WRITE_MS;
    return outcome === 'written';
  }
}

/**
 * Writes the parts as they become available, then `tail`, and ends the response. Stops without an error when the client
 * closes the connection.
 * @throws FileTooShort when the file ends before a part does
 */
export async function sendRanges(
  response: ServerResponse,
  file: StoredFile,
  parts: Iterable<Part> | AsyncIterable<Part>,
  tail?: string,
  pace: Pace | null = null,
): Promise<void> {
  const sender = new RangeSender(response, file, pace);
  for await (const part of parts) if (!(await sender.sendPart(part))) return;
  response.end(tail);
}

/**
 * Sends a whole file of at most SMALL_BYTES in one read and one write. `onBytes` is called with the bytes before they
 * are sent, and must copy what it keeps, because the buffer is reused. Resolves when the response is sent or the
 * client has closed the connection.
 * @throws FileTooShort when the file is shorter than expected
 */
export async function sendSmall(
  response: ServerResponse,
  file: StoredFile,
  headers: string[],
  onBytes: (bytes: Buffer) => void,
): Promise<void> {
  const block = borrowBuffer(SMALL_BYTES, true);
  try {
    const count = await file.read(block.bytes, file.size, 0);
    if (response.destroyed) return;
    if (count < file.size) throw new FileTooShort('The file is shorter than expected');
    const bytes = block.bytes.subarray(0, count);
    onBytes(bytes);
    const closed = new Promise((resolve) => response.once('close', resolve));
    response.writeHead(200, headers);
    response.end(bytes);
    await closed;
  } finally {
    block.give();
  }
}
