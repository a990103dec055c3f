import type { RateLimit } from '../../../ports/job-queue.port.js';

/** Lets the tries of one handler begin at its rate, within this process. */
export class RateGate {
  /** When the latest tries began, at most as many as the limit allows at once. */
  private readonly starts: number[] = [];

  constructor(private readonly limit: RateLimit) {}

  /** Milliseconds to wait. 0: the try may begin, and counts. */
  takeSlot(now: number): number {
    const { jobs, perMs } = this.limit;
    const oldest = this.starts.length < jobs ? null : (this.starts[0] ?? null);
    if (oldest !== null && oldest + perMs > now) return Math.ceil(oldest + perMs - now);
    this.starts.push(now);
    if (this.starts.length > jobs) this.starts.shift();
    return 0;
  }
}
