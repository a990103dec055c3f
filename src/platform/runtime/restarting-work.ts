import { once } from 'node:events';
import type { LoggerService } from '@nestjs/common';
import { backoffBetween, pause, retry } from '../../kernel/retry.js';
import type { Locks } from '../../ports/locks.port.js';

/** After a run that lasted longer than this before it failed, the backoff starts again at its minimum. */
const LONG_RUN_MS = 10_000;
const MIN_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 10_000;
/** So many runs in a row may end at once before the next one waits. */
const MAX_RUNS_AT_ONCE = 10;

/** Work that ends when the signal aborts. */
type Work = (signal: AbortSignal) => Promise<void>;

/** Is called after a failed run, with the error and the milliseconds until the next run. */
type FailureListener = (error: unknown, waitMs: number) => void;

/**
 * Runs `work` whenever it has ended, until the signal aborts. After a failure it waits: up to 0.1 s at first, and up to
 * 10 s after several failures in a row.
 */
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
  let shortRuns = 0;
  while (!signal.aborted) {
    const startedAt = Date.now();
    await retry(runOnce, { signal, backoff, onFailure });
    shortRuns = Date.now() - startedAt < MIN_BACKOFF_MS ? shortRuns + 1 : 0;
    // What always ends at once, such as the subscription of a log that is closed, would let nothing else run.
    if (shortRuns >= MAX_RUNS_AT_ONCE) await pause(MIN_BACKOFF_MS, [signal]);
  }
}

/**
 * The same work, but it runs only while this process holds the lock. `onTaken` is called if another process holds the
 * lock.
 */
export const whileLocked =
  (locks: Locks, name: string, work: Work, onTaken?: () => void): Work =>
  async (signal) => {
    await locks.hold(name, work, { signal, onTaken });
  };

/** Creates a listener that logs each failure under the given name. */
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

/** Runs work until `stop` is called, and restarts it after each failure. */
export class RestartingWork {
  private readonly stopping = new AbortController();
  private readonly running: Promise<void>[] = [];

  get isStopped(): boolean {
    return this.stopping.signal.aborted;
  }

  /** Starts one more piece of work. It has no effect after `stop`. */
  start(work: Work, onFailure: FailureListener): void {
    this.running.push(runWithRestart(this.stopping.signal, work, onFailure));
  }

  /** Aborts the signal of all work that was started. Resolves when all of it has ended. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.running);
  }
}
