import { afterEach, describe, expect, it, vi } from 'vitest';
import { pause } from './retry.js';

afterEach(() => {
  vi.useRealTimers();
});

describe('a pause', () => {
  it('ends after its time', async () => {
    vi.useFakeTimers();
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
