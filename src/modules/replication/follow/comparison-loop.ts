import { backoffMs, pause } from '../../../kernel/retry.js';

/** Between two comparisons when all was the same. */
const AGREED_INTERVAL_MS = 10 * 60_000;
/** After one that found differences, doubled each time in a row. */
const FIRST_INTERVAL_MS = 5_000;
const MAX_INTERVAL_MS = 60_000;
/** The feed has to be silent for so long, or there is too much on its way for a comparison to say anything. */
const FEED_SILENCE_MS = 2_000;
const MIN_INTERVAL_MS = 10_000;

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
  noteNews(): void {
    this.lastNewsAt = performance.now();
    this.wake();
  }

  /** Resolves when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await this.waitForNews(AGREED_INTERVAL_MS, signal);
    while (!signal.aborted) {
      await this.waitForSilence(signal);
      if (signal.aborted) return;
      const startedAt = performance.now();
      const waitMs = await this.compareOnce(signal);
      await pause(Math.min(waitMs, FIRST_INTERVAL_MS), [signal]);
      // Many uploads one after another shall not have as many comparisons.
      if (this.lastNewsAt > startedAt) await pause(MIN_INTERVAL_MS - FIRST_INTERVAL_MS, [signal]);
      else if (waitMs > FIRST_INTERVAL_MS) await this.waitForNews(waitMs - FIRST_INTERVAL_MS, signal);
    }
  }

  /** How long to wait before the next one. */
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
