import { backoffMs } from '../../kernel/retry.js';

const MIN_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 30_000;

/**
 * Asks nothing of a service that has just failed: after each failure for longer, up to 30 s. Then one call is let through to
 * see whether it is back.
 */
export class CircuitBreaker<E extends Error> {
  private failures = 0;
  private openUntil = 0;
  private last: E | null = null;
  private isProbing = false;

  /** @param isFailure tells which errors are the service's own */
  constructor(
    private readonly isFailure: (error: unknown) => error is E,
    private readonly now: () => number = Date.now,
  ) {}

  /** @throws the last failure while it is not asked, else what the work throws */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.last && (this.now() < this.openUntil || this.isProbing)) throw this.last;
    const isProbe = this.last !== null;
    this.isProbing ||= isProbe;
    try {
      const result = await work();
      this.last = null;
      this.failures = 0;
      return result;
    } catch (error) {
      if (this.isFailure(error)) this.recordFailure(error);
      throw error;
    } finally {
      if (isProbe) this.isProbing = false;
    }
  }

  /** Those that ran side by side fail as one. */
  private recordFailure(error: E): void {
    if (this.now() >= this.openUntil) {
      this.failures += 1;
      this.openUntil = this.now() + backoffMs(this.failures, MIN_BACKOFF_MS, MAX_BACKOFF_MS, Math.random());
    }
    this.last = error;
  }
}
