/** Unused time up to this limit can be used later, so that a late timer does not lower the rate. */
const MAX_CREDIT_MS = 250;
const MIN_PIECE_BYTES = 1024;
const MAX_PIECE_BYTES = 64 * 1024;
const PIECES_PER_SECOND = 16;

/**
 * Limits the rate of bytes. Each use moves the time up to which the rate is used up, and the next user waits until then. So
 * any number of users share the rate, and each of them has to ask only once.
 */
export class ByteBucket {
  private usedUntil = -Infinity;

  constructor(
    private rate: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Bytes per second; Infinity for no limit. A change does not affect the bytes that were used before. */
  set bytesPerSecond(rate: number) {
    this.rate = rate;
    if (rate === Infinity) this.usedUntil = -Infinity;
  }

  get bytesPerSecond(): number {
    return this.rate;
  }

  /** Number of bytes that should pass at a time, so that the flow stays smooth among many users. */
  get pieceBytes(): number {
    return Math.min(MAX_PIECE_BYTES, Math.max(MIN_PIECE_BYTES, Math.floor(this.rate / PIECES_PER_SECOND)));
  }

  /** Counts bytes. Returns the milliseconds to wait before they, or the bytes after them, may pass. */
  useBytes(bytes: number): number {
    const now = this.now();
    this.usedUntil = Math.max(this.usedUntil, now - MAX_CREDIT_MS) + (bytes / this.rate) * 1000;
    return Math.max(0, this.usedUntil - now);
  }
}
