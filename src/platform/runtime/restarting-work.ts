import { once } from 'node:events';
import type { LoggerService } from '@nestjs/common';
import { backoffBetween, retry } from '../../kernel/retry.js';
import type { Locks } from '../../ports/locks.port.js';

/** A run that lasted this long before it failed counts as a fresh start for the backoff. */
const LONG_RUN_MS = 10_000;
const MIN_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 10_000;

/** Work that ends when the signal aborts. */
type Work = (signal: AbortSignal) => Promise<void>;

/** Hears why a run failed, and after how many milliseconds the next one starts. */
type FailureListener = (error: unknown, waitMs: number) => void;

/** Runs `work` again and again until the signal aborts; after each failure it waits, 0.1 s at first and up to 10 s. */
export async function runWithRestart(signal: AbortSignal, work: Work, onFailure: FailureListener): Promise<void> {
  const runOnce = async (noteSuccess: () => void): Promise<void> => {
    const startedAt = Date.now();
    try {
      await work(signal);
    } finally {
      if (Date.now() - startedAt > LONG_RUN_MS) noteSuccess();
    }
  };
  const backoff = backoffBetween(MIN_BACKOFF_MS, MAX_BACKOFF_MS);
  while (!signal.aborted) await retry(runOnce, { signal, backoff, onFailure });
}

/** The same work, done only while this process holds the lock. `onTaken` is called when another process holds it. */
export const whileLocked =
  (locks: Locks, name: string, work: Work, onTaken?: () => void): Work =>
  async (signal) => {
    await locks.hold(name, signal, work, onTaken);
  };

/** Writes each failure of `name` to the log. */
export const logFailure =
  (logger: Pick<LoggerService, 'error'>, name: string): FailureListener =>
  (error, waitMs) => {
    const reason = error instanceof Error ? error.message : String(error);
    logger.error(`${name} failed: ${reason.replace(/\.$/, '')}. It starts again in ${waitMs} ms.`);
  };

/** Resolves when the signal aborts. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

/** Work that starts now and is restarted after each failure, until `stop`. */
export class RestartingWork {
  private readonly stopping = new AbortController();
  private readonly running: Promise<void>[] = [];

  get isStopped(): boolean {
    return this.stopping.signal.aborted;
  }

  start(work: Work, onFailure: FailureListener): void {
    this.running.push(runWithRestart(this.stopping.signal, work, onFailure));
  }

  /** Aborts the signal of all the work that was started. Resolves when the work has ended. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.running);
  }
}
