import { createHash } from 'node:crypto';
import { CHUNK_SIZE, addRange, type ChunkRange } from '../../../kernel/chunk-ranges.js';
import { ChunkVerifier, type ChunkVerdict } from '../../../kernel/chunk-verifier.js';
import type { RejectedChunk } from '../../../ports/peer-transport.port.js';
import { errorCode, messageOf } from '../../../kernel/errors.js';
import { describeStatus, codeOfBody } from './failure-reason.js';
import {
  type ConnectionEnd,
  describeWrongRange,
  keepsAlive,
  type ResponseHead,
  type ResponseReceiver,
} from './chunk-connection.js';
import type { FetchOrder, FetchFailure } from './chunk-messages.js';
import { throughProxy } from './proxies.js';

/** Bytes that are hashed at a time: few enough to be still in the processor's cache. */
const SLICE_BYTES = 256 * 1024;
const MAX_ERROR_BYTES = 16 * 1024;

/** The end of a range. */
export interface RangeEnd {
  readonly failure: FetchFailure | null;
  /** True when the connection can carry another request. */
  readonly reusable: boolean;
  /** True when the connection ended before the first byte of the response, which means that it was stale. */
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

/** An answer with an error: its body is read to learn the code. */
interface ErrorAnswer {
  readonly status: number;
  readonly date: string | undefined;
  readonly retryAfterSeconds: number | null;
  /** Bytes of the body, as announced. */
  readonly length: number;
  received: number;
}

/** Verifies the chunks of one range as they come in, and stores each after its digest has matched. */
export class RangeReceiver implements ResponseReceiver {
  verified: readonly ChunkRange[] = [];
  readonly rejected: RejectedChunk[] = [];
  private readonly verifier: ChunkVerifier;
  private reusable = false;
  private ended = false;
  private errorAnswer: ErrorAnswer | null = null;
  /** Bytes per second at which the peer sends to this server, over all ranges together. Null when it does not say. */
  announcedRate: number | null = null;

  constructor(
    private readonly order: FetchOrder,
    /** Stores a verified chunk. The bytes are valid during the call. */
    private readonly storeChunk: (chunk: number, bytes: Buffer) => void,
    private readonly buffer: Buffer,
    private readonly onEnd: (end: RangeEnd) => void,
  ) {
    const { range, packageSize, sha256 } = order;
    const expected = { range, packageSize, chunkSize: CHUNK_SIZE, sha256 };
    this.verifier = new ChunkVerifier(expected, () => createHash('sha256'));
  }

  onHead(head: ResponseHead): void {
    const { range, packageSize } = this.order;
    if (head.status !== 206) return this.handleRefusal(head);
    this.reusable = keepsAlive(head);
    this.announcedRate = parseWholeNumber(head.headers.get('odst-bytes-per-second'));
    const first = range.first * CHUNK_SIZE;
    const wrong = describeWrongRange(head, first, Math.min(range.count * CHUNK_SIZE, packageSize - first), packageSize);
    if (wrong) this.endRange(peerFault(wrong, head.status));
  }

  nextBuffer(): Uint8Array {
    if (this.errorAnswer) return this.buffer.subarray(this.errorAnswer.received, this.errorAnswer.length);
    const { chunkBytes, missingBytes } = this.verifier;
    return this.buffer.subarray(chunkBytes, chunkBytes + Math.min(SLICE_BYTES, missingBytes));
  }

  onBytes(count: number): void {
    if (this.ended) return;
    if (this.errorAnswer) {
      this.errorAnswer.received += count;
      if (this.errorAnswer.received === this.errorAnswer.length) this.finishErrorAnswer(this.errorAnswer);
      return;
    }
    const end = this.verifier.chunkBytes + count;
    const verdict = this.verifier.update(this.buffer.subarray(end - count, end));
    if (verdict) this.finishChunk(verdict, this.buffer.subarray(0, end));
  }

  onBroken({ reason, code }: ConnectionEnd, untouched: boolean): void {
    if (this.errorAnswer) this.finishErrorAnswer(this.errorAnswer);
    else this.endRange(peerFault(reason, null, code), untouched);
  }

  /** Ends the range for a reason of this server: it was told to stop, or the range took too long. */
  stopEarly(reason: string): void {
    this.endRange(peerFault(reason));
  }

  /** Bytes of the range that have arrived. */
  get received(): number {
    return this.verifier.receivedBytes;
  }

  private finishChunk({ index, isVerified, expected, actual }: ChunkVerdict, bytes: Buffer): void {
    if (!isVerified) this.rejected.push({ index, expected: toHex(expected), actual: toHex(actual) });
    else if (!this.writeChunk(index, bytes)) return;
    if (this.verifier.isFinished) this.endRange(null);
  }

  private writeChunk(index: number, bytes: Buffer): boolean {
    try {
      this.storeChunk(index, bytes);
      this.verified = addRange(this.verified, { first: index, count: 1 });
      return true;
    } catch (error) {
      const full = ['ENOSPC', 'EDQUOT'].includes(errorCode(error) ?? '');
      this.endRange(full ? { kind: 'full' } : { kind: 'local', message: messageOf(error) });
      return false;
    }
  }

  /** An error has a small JSON body with its code. Any other body is not read. */
  private handleRefusal(head: ResponseHead): void {
    const length = Number(head.headers.get('content-length') ?? 0);
    const type = head.headers.get('content-type') ?? '';
    if (head.status < 400) {
      const what = type === '' ? '' : ` with ${type.slice(0, 60)}`;
      return this.endRange(peerFault(`answered ${head.status}${what} instead of the bytes asked for`, head.status));
    }
    if (!type.includes('json') || !(length > 0 && length <= MAX_ERROR_BYTES)) {
      return this.endRange(peerFault(describeStatus(head.status, null), head.status));
    }
    const retryAfterSeconds = parseWholeNumber(head.headers.get('retry-after'));
    this.errorAnswer = { status: head.status, date: head.headers.get('date'), retryAfterSeconds, length, received: 0 };
  }

  private finishErrorAnswer({ status, date, retryAfterSeconds, received }: ErrorAnswer): void {
    const code = codeOfBody(this.buffer.toString('utf8', 0, received));
    this.endRange(peerFault(describeStatus(status, code, date), status, code, retryAfterSeconds));
  }

  private endRange(failure: FetchFailure | null, untouched = false): void {
    if (this.ended) return;
    this.ended = true;
    this.onEnd({ failure: this.blameProxy(failure), reusable: failure === null && this.reusable, untouched });
  }

  /** See `blameProxy` of the JSON calls. */
  private blameProxy(failure: FetchFailure | null): FetchFailure | null {
    const { proxy } = this.order.origin;
    if (!proxy || failure?.kind !== 'peer' || failure.code !== null) return failure;
    return { ...failure, reason: throughProxy(failure.reason, failure.status, proxy) };
  }
}

const toHex = (digest: Uint8Array): string => Buffer.from(digest).toString('hex');

const parseWholeNumber = (text: string | undefined): number | null =>
  text !== undefined && /^[1-9]\d{0,14}$/.test(text) ? Number(text) : null;
