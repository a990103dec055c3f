import { setTimeout as delay } from 'node:timers/promises';
import { backoffMs } from '../../kernel/retry.js';

/** A run that lasted this long before it failed counts as a fresh start for the backoff. */
const LONG_RUN_MS = 10_000;

/** Runs `work` again and again until the signal aborts, with a backoff (0.1 s doubling to 10 s) after each failure. */
export async function runWithRestart(
  signal: AbortSignal,
  work: () => Promise<void>,
  onFailure: (error: unknown, waitMs: number) => void,
): Promise<void> {
  for (let attempt = 1; !signal.aborted; attempt++) {
    const startedAt = Date.now();
    try {
      await work();
      attempt = 0;
    } catch (error) {
      if (signal.aborted) return;
      if (Date.now() - startedAt > LONG_RUN_MS) attempt = 1;
      const waitMs = backoffMs(attempt, 100, 10_000, Math.random());
      onFailure(error, waitMs);
      await delay(waitMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
