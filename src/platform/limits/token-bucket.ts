/** Lets `burst` pass at once and then `perSecond` on average. */
export class TokenBucket {
  private tokens: number;
  private at: number;

  constructor(
    private readonly burst: number,
    private readonly perSecond: number,
    private readonly now: () => number = Date.now,
  ) {
    this.tokens = burst;
    this.at = now();
  }

  /** Takes one token; false when there is none. */
  take(): boolean {
    if (this.isEmpty) return false;
    this.tokens -= 1;
    return true;
  }

  get isEmpty(): boolean {
    const now = this.now();
    const elapsed = Math.max(0, now - this.at) / 1000;
    this.tokens = Math.min(this.burst, this.tokens + elapsed * this.perSecond);
    this.at = now;
    return this.tokens < 1;
  }
}
