import { describe, expect, it } from 'vitest';
import type { NewJob } from '../../../ports/job-queue.port.js';
import { FailingReaders } from '../../../platform/failures/failing-readers.js';
import { type ReadPace, StorageMissing } from '../../../ports/package-storage.port.js';
import type { DuePackagesQuery } from './scrub.query.js';
import { Scrubber, ScrubPace } from './scrubber.js';

/** A scrubber over packages of which some are damaged; those that are read and whole are no longer due. */
function scene(ids: string[], damaged: readonly string[] = [], rate = 2 ** 40, poisoned = new Map<string, Error>()) {
  const log: string[] = [];
  const due = new Set(ids);
  const fake = <T>(parts: object) => parts as unknown as T;
  type Parts = ConstructorParameters<typeof Scrubber>;
  const findDamage = async (id: string, { size }: { size: number }, pace: ReadPace) => {
    await pace(size);
    const error = poisoned.get(id);
    if (error) throw error;
    log.push(`read ${id}`);
    return damaged.includes(id) ? { lost: [], missing: true } : null;
  };
  const failures = new FailingReaders();
  const scrubber = new Scrubber(
    fake<Parts[0]>({ scrubRate: rate, scrubDays: 30 }),
    fake<Parts[1]>({
      execute: async ({ most, without }: DuePackagesQuery) =>
        [...due]
          .filter((packageId) => !without.includes(packageId))
          .slice(0, most)
          .map((packageId) => ({ packageId, size: 1000, chunkCount: 1 })),
    }),
    fake<Parts[2]>({ findDamage }),
    fake<Parts[3]>({ digestsOf: async () => Buffer.alloc(32) }),
    fake<Parts[4]>({
      saveState: async (state: string) => void log.push(state),
      noteVerified: async (id: string) => void due.delete(id),
      notePassFinished: async () => void log.push('finished'),
    }),
    fake<Parts[5]>({ enqueue: async (jobs: readonly NewJob[]) => void log.push(...jobs.map(({ key }) => key)) }),
    fake<Parts[6]>({ verifyAll: async () => 0 }),
    failures,
  );
  return { scrubber, log, failures };
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

  it.each([
    ['a file that is a folder', Object.assign(new Error('EISDIR'), { code: 'EISDIR' })],
    ['a file that may not be read', Object.assign(new Error('EACCES'), { code: 'EACCES' })],
    ['an error of the program', new TypeError('sizeCalculation return invalid')],
  ])('is not held up by %s, also of very many packages, and shows it', async (_what, error) => {
    const bad = Array.from({ length: 501 }, (_, i) => `bad-${i}`);
    const { scrubber, log, failures } = scene([...bad, 'good'], [], 2 ** 40, new Map(bad.map((id) => [id, error])));
    await scrubber.scrubDue(new AbortController().signal);
    expect(log.filter((line) => line !== 'RUNNING')).toEqual(['read good', 'finished']);
    const shown = failures.list(Date.now() + 60_000);
    expect(shown).toHaveLength(501);
    expect(shown[0]).toMatchObject({ reader: 'verification of the package bad-0', reason: error.message });
  });

  it('stops when the volume of the packages is gone, because then every package looks missing', async () => {
    const gone = new StorageMissing('/data/packages');
    const { scrubber, log } = scene(['a', 'b'], [], 2 ** 40, new Map([['a', gone]]));
    await expect(scrubber.scrubDue(new AbortController().signal)).rejects.toBe(gone);
    expect(log).toEqual(['RUNNING']);
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
