import { createHash, type Hash } from 'node:crypto';
import { writeSync } from 'node:fs';
import { CHUNK_SIZE, addRange, type ChunkRange } from '../../../kernel/chunk-ranges.js';
import type { RejectedChunk } from '../../../ports/peer-transport.port.js';
import { errorCode, messageOf } from '../../../kernel/errors.js';
import { describeStatus, codeOfBody } from './failure-reason.js';
import { describeWrongRange, keepsAlive, type ResponseHead, type ResponseReceiver } from './chunk-connection.js';
import type { FetchOrder, FetchFailure } from './chunk-messages.js';

/** Bytes hashed at a time: small enough to be still in the processor's cache. */
const SLICE_BYTES = 256 * 1024;
const MAX_ERROR_BYTES = 16 * 1024;

export interface RangeEnd {
  readonly failure: FetchFailure | null;
  /** May the connection carry another request? */
  readonly reusable: boolean;
  /** Not a byte of the response had come: the connection was stale. */
  readonly untouched: boolean;
}

const peerFault = (
  reason: string,
  status: number | null = null,
  code: string | null = null,
  retryAfterSeconds: number | null = null,
): FetchFailure => ({
  kind: 'peer',
  reason,
  status,
  code,
  retryAfterSeconds,
});

/** Verifies the chunks of one run as they come in and writes each at its place once its digest matched. */
export class RangeReceiver implements ResponseReceiver {
  verified: readonly ChunkRange[] = [];
  readonly rejected: RejectedChunk[] = [];
  private hash: Hash = createHash('sha256');
  private nth = 0;
  private length = 0;
  private reusable = false;
  private ended = false;
  private refusal: {
    readonly status: number;
    readonly wanted: number;
    readonly retryAfterSeconds: number | null;
  } | null = null;
  /** How fast the peer sends to us, all runs together; null when it does not say. */
  announcedRate: number | null = null;

  constructor(
    private readonly order: FetchOrder,
    private readonly fd: number,
    private readonly buffer: Buffer,
    private readonly onEnd: (end: RangeEnd) => void,
  ) {}

  head(head: ResponseHead): void {
    const { run, packageSize } = this.order;
    if (head.status !== 206) return this.refused(head);
    this.reusable = keepsAlive(head);
    this.announcedRate = parseWholeNumber(head.headers.get('odst-bytes-per-second'));
    const first = run.first * CHUNK_SIZE;
    const wrong = describeWrongRange(head, first, Math.min(run.count * CHUNK_SIZE, packageSize - first), packageSize);
    if (wrong) this.finish(peerFault(wrong, head.status));
  }

  space(): Uint8Array {
    const end = this.refusal ? this.refusal.wanted : Math.min(this.length + SLICE_BYTES, this.chunkLength());
    return this.buffer.subarray(this.length, end);
  }

  filled(count: number): void {
    if (this.ended) return;
    const start = this.length;
    this.length += count;
    if (this.refusal) {
      if (this.length === this.refusal.wanted) this.finishRefusal(this.refusal);
      return;
    }
    this.hash.update(this.buffer.subarray(start, this.length));
    if (this.length === this.chunkLength()) this.finishChunk();
  }

  broken(reason: string, untouched: boolean): void {
    if (this.refusal) this.finishRefusal(this.refusal);
    else this.finish(peerFault(reason), untouched);
  }

  /** Ends the run for a reason of our own: told to stop, or it took too long. */
  stop(reason: string): void {
    this.finish(peerFault(reason));
  }

  /** Bytes of the run that have arrived. */
  get received(): number {
    return this.nth * CHUNK_SIZE + (this.refusal ? 0 : this.length);
  }

  private get index(): number {
    return this.order.run.first + this.nth;
  }

  private chunkLength(): number {
    return Math.min(CHUNK_SIZE, this.order.packageSize - this.index * CHUNK_SIZE);
  }

  private finishChunk(): void {
    const actual = this.hash.digest();
    const expected = Buffer.from(this.order.sha256.subarray(this.nth * 32, this.nth * 32 + 32));
    if (!actual.equals(expected)) {
      this.rejected.push({ index: this.index, expected: expected.toString('hex'), actual: actual.toString('hex') });
    } else if (!this.write()) {
      return;
    }
    this.hash = createHash('sha256');
    this.nth += 1;
    this.length = 0;
    if (this.nth === this.order.run.count) this.finish(null);
  }

  private write(): boolean {
    try {
      writeAll(this.fd, this.buffer.subarray(0, this.length), this.index * CHUNK_SIZE);
      this.verified = addRange(this.verified, { first: this.index, count: 1 });
      return true;
    } catch (error) {
      const full = ['ENOSPC', 'EDQUOT'].includes(errorCode(error) ?? '');
      this.finish(full ? { kind: 'full' } : { kind: 'local', message: messageOf(error) });
      return false;
    }
  }

  /** An error has a small body that names its code; anything else is not waited for. */
  private refused(head: ResponseHead): void {
    const announced = Number(head.headers.get('content-length') ?? 0);
    const type = head.headers.get('content-type') ?? '';
    if (head.status < 400) {
      const what = type === '' ? '' : ` with ${type.slice(0, 60)}`;
      return this.finish(peerFault(`answered ${head.status}${what} instead of the bytes asked for`, head.status));
    }
    if (!type.includes('json') || !(announced > 0 && announced <= MAX_ERROR_BYTES)) {
      return this.finish(peerFault(describeStatus(head.status, null), head.status));
    }
    this.refusal = {
      status: head.status,
      wanted: announced,
      retryAfterSeconds: parseWholeNumber(head.headers.get('retry-after')),
    };
  }

  private finishRefusal({
    status,
    retryAfterSeconds,
  }: {
    readonly status: number;
    readonly retryAfterSeconds: number | null;
  }): void {
    const code = codeOfBody(this.buffer.toString('utf8', 0, this.length));
    this.finish(peerFault(describeStatus(status, code), status, code, retryAfterSeconds));
  }

  private finish(failure: FetchFailure | null, untouched = false): void {
    if (this.ended) return;
    this.ended = true;
    this.onEnd({ failure, reusable: failure === null && this.reusable, untouched });
  }
}

const parseWholeNumber = (text: string | undefined): number | null =>
  text !== undefined && /^[1-9]\d{0,14}$/.test(text) ? Number(text) : null;

function writeAll(fd: number, bytes: Buffer, position: number): void {
  for (let written = 0; written < bytes.length;) {
    written += writeSync(fd, bytes, written, bytes.length - written, position + written);
  }
}
