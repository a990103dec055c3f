import { describe, expect, it } from 'vitest';
import type { NewJob } from '../../../ports/job-queue.port.js';
import type { ReadPace } from '../../../ports/package-storage.port.js';
import { Scrubber, ScrubPace } from './scrubber.js';

/** A scrubber over packages of which some are damaged; those that are read and whole are no longer due. */
function scene(ids: string[], damaged: readonly string[] = [], rate = 2 ** 40) {
  const log: string[] = [];
  const due = new Set(ids);
  const fake = <T>(parts: object) => parts as unknown as T;
  type Parts = ConstructorParameters<typeof Scrubber>;
  const findDamage = async (id: string, { size }: { size: number }, pace: ReadPace) => {
    await pace(size);
    log.push(`read ${id}`);
    return damaged.includes(id) ? { lost: [], missing: true } : null;
  };
  const scrubber = new Scrubber(
    fake<Parts[0]>({ scrubRate: rate, scrubDays: 30 }),
    fake<Parts[1]>({ execute: async () => [...due].map((packageId) => ({ packageId, size: 1000, chunkCount: 1 })) }),
    fake<Parts[2]>({ findDamage }),
    fake<Parts[3]>({ digestsOf: async () => Buffer.alloc(32) }),
    fake<Parts[4]>({
      saveState: async (state: string) => void log.push(state),
      noteVerified: async (id: string) => void due.delete(id),
      notePassFinished: async () => void log.push('finished'),
    }),
    fake<Parts[5]>({ enqueue: async (jobs: readonly NewJob[]) => void log.push(...jobs.map(({ key }) => key)) }),
  );
  return { scrubber, log };
}

describe('the scrub', () => {
  it('reads all that is due, and hands over what is damaged, once', async () => {
    const { scrubber, log } = scene(['a', 'b', 'c'], ['b']);
    await scrubber.scrubDue(new AbortController().signal);
    expect(log).toEqual(['RUNNING', 'read a', 'read b', 'verify:b', 'read c', 'finished']);
  });

  it('has nothing to say when nothing is due', async () => {
    const { scrubber, log } = scene([]);
    await scrubber.scrubDue(new AbortController().signal);
    expect(log).toEqual([]);
  });

  it('ends in the middle of a file when it is told to', async () => {
    const { scrubber, log } = scene(['a', 'b'], [], 1);
    const stop = new AbortController();
    const pass = scrubber.scrubDue(stop.signal);
    setImmediate(() => stop.abort());
    await expect(pass).rejects.toThrow(/abort/i);
    expect(log).not.toContain('read b');
  });

  it('is off, and says so, when its rate is 0', async () => {
    const { scrubber, log } = scene(['a'], [], 0);
    await scrubber.start();
    expect(scrubber.isEnabled).toBe(false);
    expect(log).toEqual(['OFF']);
  });
});

describe('the pace of the scrub', () => {
  it('lets the first bytes through and makes those behind them wait', async () => {
    const pace = new ScrubPace(1);
    const stop = new AbortController();
    await pace.take(1_000_000, stop.signal);
    const second = pace.take(1, stop.signal);
    stop.abort();
    await expect(second).rejects.toThrow(/abort/i);
  });
});
