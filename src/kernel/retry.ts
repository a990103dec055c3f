/**
 * Resolves after so many milliseconds, or as soon as one of the signals is aborted. Not a timer with `AbortSignal.any`:
 * Node 20 may collect what that returns while only its listeners are left, and then nobody hears of the end.
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
