import { pause } from '../../../../kernel/pause.js';
import { backoffMs } from '../../../../kernel/retry.js';

/** Between two comparisons when all was the same. */
const REST_MS = 10 * 60_000;
/** After one that found differences, doubled each time in a row. */
const SOON_MS = 5_000;
const LATER_MS = 60_000;
/** The feed has to be silent for so long, or there is too much on its way for a comparison to say anything. */
const QUIET_MS = 2_000;
const LEAST_MS = 10_000;

/**
 * Decides when a peer's inventory is compared with ours: soon after each connection and after news from the feed, again
 * while there are differences, and every ten minutes or so.
 */
export class ComparisonLoop {
  private wake: () => void = () => undefined;
  private lastNewsAt = -Infinity;
  private differing = 0;

  /** `compare` gives the number of differences. */
  constructor(
    private readonly compare: (signal: AbortSignal) => Promise<number>,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** The feed was connected, or brought something: what was the same may differ now. */
  news(): void {
    this.lastNewsAt = performance.now();
    this.wake();
  }

  /** Resolves when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await this.nextNews(REST_MS, signal);
    while (!signal.aborted) {
      await this.quiet(signal);
      if (signal.aborted) return;
      const startedAt = performance.now();
      const waitMs = await this.once(signal);
      await pause(Math.min(waitMs, SOON_MS), [signal]);
      // Many uploads one after another shall not have as many comparisons.
      if (this.lastNewsAt > startedAt) await pause(LEAST_MS - SOON_MS, [signal]);
      else if (waitMs > SOON_MS) await this.nextNews(waitMs - SOON_MS, signal);
    }
  }

  /** How long to wait before the next one. */
  private async once(signal: AbortSignal): Promise<number> {
    try {
      const differences = await this.compare(signal);
      this.differing = differences > 0 ? this.differing + 1 : 0;
      if (differences === 0) return backoffMs(1, REST_MS, REST_MS, Math.random());
    } catch (error) {
      if (signal.aborted) return 0;
      this.onError(error);
      this.differing += 1;
    }
    return backoffMs(this.differing, SOON_MS, LATER_MS, 1);
  }

  private async quiet(signal: AbortSignal): Promise<void> {
    for (;;) {
      const leftMs = this.lastNewsAt + QUIET_MS - performance.now();
      if (leftMs <= 0 || signal.aborted) return;
      await pause(leftMs, [signal]);
    }
  }

  private async nextNews(atMostMs: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    this.wake = () => woken.abort();
    await pause(atMostMs, [signal, woken.signal]);
    this.wake = () => undefined;
  }
}
