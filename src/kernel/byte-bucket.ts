/** Time that was not used is kept for so long: a timer that comes late is made good. */
const MAX_CREDIT_MS = 250;
const MIN_PIECE = 1024;
const MAX_PIECE = 64 * 1024;
const PIECES_A_SECOND = 16;

/**
 * Paces bytes. Each use moves the time up to which the rate is used up; who comes next waits until then, so any number
 * of users share the rate, and none of them has to ask again.
 */
export class ByteBucket {
  private usedUntil = -Infinity;

  constructor(
    private rate: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Bytes per second; Infinity for no limit. What was used before counts at the rate of then. */
  set bytesPerSecond(rate: number) {
    this.rate = rate;
    if (rate === Infinity) this.usedUntil = -Infinity;
  }

  get bytesPerSecond(): number {
    return this.rate;
  }

  /** So many bytes at a time keep the flow smooth, also among many users. */
  get piece(): number {
    return Math.min(MAX_PIECE, Math.max(MIN_PIECE, Math.floor(this.rate / PIECES_A_SECOND)));
  }

  /** Counts bytes; how many milliseconds to wait before they, or what comes after them, may pass. */
  use(bytes: number): number {
    const now = this.now();
    this.usedUntil = Math.max(this.usedUntil, now - MAX_CREDIT_MS) + (bytes / this.rate) * 1000;
    return Math.max(0, this.usedUntil - now);
  }
}
