import type { ChunkRange } from './chunk-ranges.js';

/** Length of one SHA-256 digest in bytes. */
export const DIGEST_BYTES = 32;

/** A digest that is being computed. `Hash` of node:crypto is one. */
interface RunningHash {
  update(bytes: Uint8Array): unknown;
  digest(): Uint8Array;
}

/** The expected digests of neighbouring chunks. */
interface ExpectedChunks {
  readonly range: ChunkRange;
  /** Size of the whole package in bytes. The last chunk ends there. */
  readonly packageSize: number;
  /** Size of every chunk except the last one, in bytes. */
  readonly chunkSize: number;
  /** SHA-256 of each chunk of the range, end to end. */
  readonly sha256: Uint8Array;
}

/** The result for one chunk. */
export interface ChunkVerdict {
  /** Index of the chunk in the package. */
  readonly index: number;
  readonly isVerified: boolean;
  readonly expected: Uint8Array;
  readonly actual: Uint8Array;
}

/**
 * Decides which chunks of a range are what they should be, from their bytes in order. A byte counts only after the
 * digest of its whole chunk has matched, so callers must not use the bytes of a chunk before its verdict. A chunk that
 * is rejected does not affect the chunks after it.
 */
export class ChunkVerifier {
  private hash: RunningHash;
  /** Chunks of the range that have a verdict. */
  private judged = 0;
  /** Bytes of the current chunk that have arrived. */
  private length = 0;

  /**
   * `createHash` starts a new SHA-256.
   * @throws RangeError when the digests do not fit the range, or the range does not fit the package
   */
  constructor(
    private readonly expected: ExpectedChunks,
    private readonly createHash: () => RunningHash,
  ) {
    const { range, packageSize, chunkSize, sha256 } = expected;
    if (sha256.length !== range.count * DIGEST_BYTES) throw new RangeError('Each chunk of a range needs one digest');
    if (range.count > 0 && (range.first + range.count - 1) * chunkSize >= packageSize) {
      throw new RangeError('The range ends after the package');
    }
    this.hash = createHash();
  }

  /** True when every chunk of the range has its verdict. */
  get isFinished(): boolean {
    return this.judged === this.expected.range.count;
  }

  /** Bytes of the range that have arrived, including those of a chunk that is not complete. */
  get receivedBytes(): number {
    return this.judged * this.expected.chunkSize + this.length;
  }

  /** Bytes of the current chunk that have arrived. */
  get chunkBytes(): number {
    return this.length;
  }

  /** Bytes that the current chunk still needs. 0 after the last chunk. */
  get missingBytes(): number {
    if (this.isFinished) return 0;
    const { packageSize, chunkSize } = this.expected;
    return Math.min(chunkSize, packageSize - this.index * chunkSize) - this.length;
  }

  /**
   * Takes the next bytes, and returns the verdict when they complete a chunk, otherwise null.
   * @throws RangeError when there are more of them than `missingBytes`
   */
  update(bytes: Uint8Array): ChunkVerdict | null {
    const missing = this.missingBytes;
    if (bytes.length > missing) throw new RangeError(`The current chunk needs ${missing} bytes, not ${bytes.length}`);
    if (bytes.length === 0) return null;
    this.hash.update(bytes);
    this.length += bytes.length;
    return bytes.length === missing ? this.endChunk() : null;
  }

  /**
   * Ends the current chunk although bytes may be missing, for example where a file ends, and returns its verdict.
   * @throws RangeError after the last chunk
   */
  endChunk(): ChunkVerdict {
    if (this.isFinished) throw new RangeError('Every chunk of the range has its verdict');
    const { index } = this;
    const at = this.judged * DIGEST_BYTES;
    const expected = this.expected.sha256.subarray(at, at + DIGEST_BYTES);
    const actual = this.hash.digest();
    this.hash = this.createHash();
    this.judged += 1;
    this.length = 0;
    return { index, isVerified: isEqual(actual, expected), expected, actual };
  }

  private get index(): number {
    return this.expected.range.first + this.judged;
  }
}

const isEqual = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);
