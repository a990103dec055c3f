import { backoffBetween, retry } from '../../kernel/retry.js';

/** A run that lasted this long before it failed counts as a fresh start for the backoff. */
const LONG_RUN_MS = 10_000;

/** Runs `work` again and again until the signal aborts, with a backoff (0.1 s doubling to 10 s) after each failure. */
export async function runWithRestart(
  signal: AbortSignal,
  work: () => Promise<void>,
  onFailure: (error: unknown, waitMs: number) => void,
): Promise<void> {
  const runOnce = async (noteSuccess: () => void): Promise<void> => {
    const startedAt = Date.now();
    try {
      await work();
    } finally {
      if (Date.now() - startedAt > LONG_RUN_MS) noteSuccess();
    }
  };
  while (!signal.aborted) await retry(runOnce, { signal, backoff: backoffBetween(100, 10_000), onFailure });
}
