/**
 * Resolves after `ms` milliseconds, or as soon as one of the signals is aborted. This is not a timer with
 * `AbortSignal.any`: Node 20 may collect the combined signal while only its listeners are left, and then the abort goes
 * unnoticed.
 */
export function pause(ms: number, signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    for (const signal of signals) signal.addEventListener('abort', done);
    if (signals.some(({ aborted }) => aborted)) done();
  });
}

/**
 * Delay before the next attempt, in milliseconds: doubles from `base` up to `cap`, with the upper half random so that
 * many clients that lost one server do not come back in step.
 */
export function backoffMs(attempt: number, base: number, cap: number, random: number): number {
  const full = Math.min(cap, base * 2 ** Math.max(0, attempt - 1));
  return Math.round(full / 2 + (full / 2) * random);
}

/** The backoff of `backoffMs` for `retry`, between two delays in milliseconds. */
export const backoffBetween =
  (minMs: number, maxMs: number) =>
  (attempt: number): number =>
    backoffMs(attempt, minMs, maxMs, Math.random());

interface RetryOptions {
  /** True when a later attempt may succeed; if not, the error is thrown. Every error is retried when this is left out. */
  readonly while?: (error: unknown, attempt: number) => boolean;
  /** Milliseconds to wait after the failure of an attempt; attempts count from 1. No wait when this is left out. */
  readonly backoff?: (attempt: number) => number;
  /** Ends the attempts: the wait ends early, and no further attempt begins. */
  readonly signal?: AbortSignal;
  /** Is called after each failure that another attempt will follow, before the wait. */
  readonly onFailure?: (error: unknown, waitMs: number, attempt: number) => void;
}

/** Called by a long attempt once it works: if it fails later, that counts as the failure of a first attempt. */
type NoteSuccess = () => void;

/**
 * Calls until an attempt succeeds, and returns its result; null when the signal is aborted before that.
 * @throws the first error that `while` does not retry, also after the signal was aborted
 */
export function retry<T>(
  call: (noteSuccess: NoteSuccess) => Promise<T>,
  options: RetryOptions & { readonly signal: AbortSignal },
): Promise<T | null>;
export function retry<T>(
  call: (noteSuccess: NoteSuccess) => Promise<T>,
  options: RetryOptions & { readonly signal?: undefined },
): Promise<T>;
export async function retry<T>(
  call: (noteSuccess: NoteSuccess) => Promise<T>,
  { while: isWorthRetrying = () => true, backoff, signal = new AbortController().signal, onFailure }: RetryOptions,
): Promise<T | null> {
  for (let attempt = 1; !signal.aborted; attempt++) {
    try {
      return await call(() => (attempt = 1));
    } catch (error) {
      if (!isWorthRetrying(error, attempt)) throw error;
      if (signal.aborted) break;
      const waitMs = backoff?.(attempt) ?? 0;
      onFailure?.(error, waitMs, attempt);
      if (waitMs > 0) await pause(waitMs, [signal]);
    }
  }
  return null;
}
