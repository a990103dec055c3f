import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { JobQueue } from '../../ports/job-queue.port.js';
import { QueueWatch } from './queue-watch.js';

describe('the watch over the queue', () => {
  let isMarked = false;
  let isAway = false;
  let refills = 0;
  let failures = 0;
  let stop: AbortController;
  let watching: Promise<void>;
  const leaveMark = async (): Promise<boolean> => {
    if (isAway) throw new Error('away');
    const was = isMarked;
    isMarked = true;
    return was;
  };
  const looks = (times: number): Promise<unknown> => vi.advanceTimersByTimeAsync(times * 2_000);

  beforeEach(async () => {
    vi.useFakeTimers();
    isMarked = isAway = false;
    refills = failures = 0;
    // It has what the watch calls.
    const watch = new QueueWatch({ leaveMark } as unknown as JobQueue);
    watch.onEmptied(async () => {
      if (failures-- > 0) throw new Error('not now');
      refills++;
    });
    await watch.start();
    stop = new AbortController();
    watching = watch.run(stop.signal);
  });
  afterEach(async () => {
    stop.abort();
    await watching;
    vi.useRealTimers();
  });

  it('has it filled once each time it was emptied, not at the start', async () => {
    await looks(3);
    expect(refills).toBe(0);
    isMarked = false;
    await looks(3);
    expect(refills).toBe(1);
    isMarked = false;
    await looks(3);
    expect(refills).toBe(2);
  });

  it('fills it after it was away, and again until that succeeds', async () => {
    isAway = true;
    isMarked = false;
    failures = 2;
    await looks(3);
    isAway = false;
    await looks(2);
    expect(refills).toBe(0);
    await looks(1);
    expect(refills).toBe(1);
    await looks(2);
    expect(refills).toBe(1);
  });
});
