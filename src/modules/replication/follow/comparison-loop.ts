import { backoffMs, pause } from '../../../kernel/retry.js';

/** Time between two comparisons when the servers agreed. */
const AGREED_INTERVAL_MS = 10 * 60_000;
/** Time after a comparison that found differences; it doubles with each one in a row up to `MAX_INTERVAL_MS`. */
const FIRST_INTERVAL_MS = 5_000;
const MAX_INTERVAL_MS = 60_000;
/** The feed has to be silent for this time before a comparison. Otherwise too many changes are still arriving. */
const FEED_SILENCE_MS = 2_000;
const MIN_INTERVAL_MS = 10_000;

/**
 * Decides when the inventory of a peer is compared with ours: soon after each connection and after news from the feed,
 * again while there are differences, and about every ten minutes.
 */
export class ComparisonLoop {
  private wake: () => void = () => undefined;
  private lastNewsAt = -Infinity;
  private differing = 0;

  /** `compare` makes one comparison and gives the number of differences. */
  constructor(
    private readonly compare: (signal: AbortSignal) => Promise<number>,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** Call it when the feed was connected or has brought an item: the servers may differ now. */
  noteNews(): void {
    this.lastNewsAt = performance.now();
    this.wake();
  }

  /** Compares until the signal aborts. */
  async compareRepeatedly(signal: AbortSignal): Promise<void> {
    await this.waitForNews(AGREED_INTERVAL_MS, signal);
    while (!signal.aborted) {
      await this.waitForSilence(signal);
      if (signal.aborted) return;
      const startedAt = performance.now();
      const waitMs = await this.compareOnce(signal);
      await pause(Math.min(waitMs, FIRST_INTERVAL_MS), [signal]);
      // A series of uploads must not cause as many comparisons.
      if (this.lastNewsAt > startedAt) await pause(MIN_INTERVAL_MS - FIRST_INTERVAL_MS, [signal]);
      else if (waitMs > FIRST_INTERVAL_MS) await this.waitForNews(waitMs - FIRST_INTERVAL_MS, signal);
    }
  }

  /** Makes one comparison. Gives the time in milliseconds until the next one. */
  private async compareOnce(signal: AbortSignal): Promise<number> {
    try {
      const differences = await this.compare(signal);
      this.differing = differences > 0 ? this.differing + 1 : 0;
      if (differences === 0) return backoffMs(1, AGREED_INTERVAL_MS, AGREED_INTERVAL_MS, Math.random());
    } catch (error) {
      if (signal.aborted) return 0;
      this.onError(error);
      this.differing += 1;
    }
    return backoffMs(this.differing, FIRST_INTERVAL_MS, MAX_INTERVAL_MS, 1);
  }

  private async waitForSilence(signal: AbortSignal): Promise<void> {
    for (;;) {
      const leftMs = this.lastNewsAt + FEED_SILENCE_MS - performance.now();
      if (leftMs <= 0 || signal.aborted) return;
      await pause(leftMs, [signal]);
    }
  }

  private async waitForNews(atMostMs: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    this.wake = () => woken.abort();
    await pause(atMostMs, [signal, woken.signal]);
    this.wake = () => undefined;
  }
}
