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
