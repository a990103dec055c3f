import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { backoffBetween, pause, retry } from './retry.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('pause', () => {
  it('ends after its time', async () => {
    const ended = vi.fn<() => void>();
    void pause(1_000, [new AbortController().signal]).then(ended);
    await vi.advanceTimersByTimeAsync(999);
    expect(ended).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(ended).toHaveBeenCalledOnce();
  });

  it.each([0, 1])('ends with any of its signals', async (which) => {
    const stops = [new AbortController(), new AbortController()];
    const ended = pause(
      3_600_000,
      stops.map(({ signal }) => signal),
    );
    stops[which]?.abort();
    await ended;
  });

  it('does not begin when a signal is aborted already', async () => {
    await pause(3_600_000, [new AbortController().signal, AbortSignal.abort()]);
  });
});

describe('retry', () => {
  /** A call that fails with each of the errors in turn and then succeeds. */
  const failing = (...errors: readonly Error[]) => {
    const left = [...errors];
    return vi.fn<() => Promise<string>>(async () => {
      const error = left.shift();
      if (error) throw error;
      return 'done';
    });
  };
  const lost = new Error('lost');
  const broken = new Error('broken');

  it('returns what the first attempt that succeeds returns', async () => {
    const call = failing(lost, lost);
    expect(await retry(call, {})).toBe('done');
    expect(call).toHaveBeenCalledTimes(3);
  });

  it('throws what is not worth another attempt', async () => {
    const call = failing(lost, broken, lost);
    await expect(retry(call, { while: (error) => error === lost })).rejects.toBe(broken);
    expect(call).toHaveBeenCalledTimes(2);
  });

  it('gives up by the number of attempts', async () => {
    const call = failing(lost, lost, lost, lost);
    await expect(retry(call, { while: (_, attempt) => attempt < 3 })).rejects.toBe(lost);
    expect(call).toHaveBeenCalledTimes(3);
  });

  it('waits between attempts, and tells of each failure before the wait', async () => {
    const told: unknown[] = [];
    const call = failing(lost, broken);
    const result = retry(call, {
      backoff: (attempt) => attempt * 100,
      onFailure: (error, waitMs, attempt) => told.push([error, waitMs, attempt]),
    });
    await vi.advanceTimersByTimeAsync(99);
    expect(call).toHaveBeenCalledOnce();
    expect(told).toEqual([[lost, 100, 1]]);
    await vi.advanceTimersByTimeAsync(1 + 200);
    expect(await result).toBe('done');
    expect(told).toEqual([
      [lost, 100, 1],
      [broken, 200, 2],
    ]);
  });

  it('counts from one again after an attempt that worked for a while', async () => {
    const attempts: number[] = [];
    let calls = 0;
    const result = retry(
      async (noteSuccess) => {
        calls += 1;
        if (calls === 3) noteSuccess();
        if (calls < 5) throw lost;
      },
      { onFailure: (_error, _waitMs, attempt) => attempts.push(attempt) },
    );
    await result;
    expect(attempts).toEqual([1, 2, 1, 2]);
  });

  it('returns null when its signal is aborted: before it begins, during a wait and during an attempt', async () => {
    const never = failing(lost);
    expect(await retry(never, { signal: AbortSignal.abort() })).toBeNull();
    expect(never).not.toHaveBeenCalled();

    const stop = new AbortController();
    const onFailure = vi.fn<() => void>();
    const waiting = retry(failing(lost, lost), { signal: stop.signal, backoff: () => 3_600_000, onFailure });
    await vi.advanceTimersByTimeAsync(1);
    stop.abort();
    expect(await waiting).toBeNull();
    expect(onFailure).toHaveBeenCalledOnce();

    const stopWithin = new AbortController();
    const failsAfterAbort = async (): Promise<string> => {
      stopWithin.abort();
      throw lost;
    };
    expect(await retry(failsAfterAbort, { signal: stopWithin.signal, onFailure })).toBeNull();
    expect(onFailure).toHaveBeenCalledOnce();
  });

  it('throws a permanent error also after the abort', async () => {
    const stop = new AbortController();
    const call = async (): Promise<void> => {
      stop.abort();
      throw broken;
    };
    await expect(retry(call, { signal: stop.signal, while: () => false })).rejects.toBe(broken);
  });

  it('backs off between two delays', () => {
    const backoff = backoffBetween(20, 500);
    const delays = Array.from({ length: 200 }, (_, i) => backoff(i + 1));
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(10);
    expect(Math.max(...delays)).toBeLessThanOrEqual(500);
    expect(delays[100]).toBeGreaterThanOrEqual(250);
  });
});
