import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RestartingWork, runWithRestart } from './restarting-work.js';

describe('work that is restarted', () => {
  const waits: number[] = [];
  const onFailure = (_error: unknown, waitMs: number): void => void waits.push(waitMs);
  beforeEach(() => {
    vi.useFakeTimers();
    vi.spyOn(Math, 'random').mockReturnValue(1);
    waits.length = 0;
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  it('waits longer after each failure in a row, up to 10 s', async () => {
    const stop = new AbortController();
    const running = runWithRestart(stop.signal, () => Promise.reject(new Error('no')), onFailure);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(waits.slice(0, 9)).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
    stop.abort();
    await running;
  });

  it('waits the shortest time after a run that lasted long', async () => {
    const stop = new AbortController();
    const lengths = [0, 0, 0, 11_000];
    const work = async (): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, lengths.shift() ?? 0));
      throw new Error('no');
    };
    const running = runWithRestart(stop.signal, work, onFailure);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(waits.slice(0, 5)).toEqual([100, 200, 400, 100, 200]);
    stop.abort();
    await vi.advanceTimersByTimeAsync(1);
    await running;
  });

  it('starts again at once when a run ends without a failure', async () => {
    let runs = 0;
    const stop = new AbortController();
    const work = async (): Promise<void> => {
      runs += 1;
      if (runs === 5) stop.abort();
    };
    await runWithRestart(stop.signal, work, onFailure);
    expect({ runs, waits }).toEqual({ runs: 5, waits: [] });
  });

  it('lets others run when every run ends at once', async () => {
    let runs = 0;
    const stop = new AbortController();
    const running = runWithRestart(stop.signal, async () => void (runs += 1), onFailure);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(runs).toBe(20);
    stop.abort();
    await running;
  });

  it('ends at once, also during a wait, and reports no failure that the stop has caused', async () => {
    const work = new RestartingWork();
    work.start(() => Promise.reject(new Error('no')), onFailure);
    work.start(
      (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))),
      onFailure,
    );
    await vi.advanceTimersByTimeAsync(10);
    expect(work.isStopped).toBe(false);
    await work.stop();
    expect({ waits, isStopped: work.isStopped }).toEqual({ waits: [100], isStopped: true });
  });
});
