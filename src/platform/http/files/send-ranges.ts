import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { StoredFile } from '../../../ports/package-storage.port.js';
import type { ByteRange } from './file-request.js';

/** Buffers of one size that are used again and again; at most `keep` are out at a time. */
class BufferPool {
  private readonly idle: Buffer[] = [];
  private out = 0;

  constructor(
    readonly size: number,
    private readonly keep: number,
  ) {}

  /** Null when all are in use. */
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

/** Slows downloads down; several may share one. */
export interface Pace {
  readonly bytesPerSecond: number;
  /** Bytes to be written at a time. */
  readonly pieceBytes: number;
  /** Counts bytes; how many milliseconds to wait before they may be written. */
  useBytes(bytes: number): number;
}

/** A range of the file, with what goes before it. */
interface Part extends ByteRange {
  readonly head?: string;
}

export const SMALL_BYTES = 64 * 1024;
/** All downloads together: 64 MiB. Those that find none left use small buffers. */
const largeBuffers = new BufferPool(1024 * 1024, 64);
const smallBuffers = new BufferPool(SMALL_BYTES, 256);
/** A client that takes longer for one buffer gets small ones, so that slow clients don't hold the large. */
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

/** The file is shorter than its package: it was damaged behind our back. */
export class FileTooShort extends Error {}

/** Reads at least one byte. @throws FileTooShort */
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

  /** While one buffer is being written, the next is being filled. False when the client left. */
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

  /** An error is met when the promise is awaited, which may be after it came. */
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

  /** Resolves when the kernel has the bytes, so that the buffer is free again. */
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
 * Writes the parts, as they come, and then `tail` as the body, and ends the response; gives up quietly when the client
 * leaves.
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
 * Sends a whole small file in one read and one write. `onBytes` gets the bytes before they are sent; they are valid during
 * the call. Resolves when the answer is out or the client has left. @throws FileTooShort
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
