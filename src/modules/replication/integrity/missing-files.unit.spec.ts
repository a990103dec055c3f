import type { QueryBus } from '@nestjs/cqrs';
import { beforeEach, expect, it } from 'vitest';
import type { JobQueue, NewJob } from '../../../ports/job-queue.port.js';
import type { PackageStorage } from '../../../ports/package-storage.port.js';
import { ReturnedFiles } from './missing-files.js';
import { AwaitedIdsQuery, HeldIdsQuery } from './scrub.query.js';

// Each fake has what the returned files ask for.
const fake = <T>(parts: object) => parts as unknown as T;

let unclaimed: { name: string; packageId: string | null }[];
let queued: string[];
let returned: ReturnedFiles;
beforeEach(() => {
  unclaimed = [];
  queued = [];
  const execute = async (query: object): Promise<readonly string[]> => {
    if (query instanceof AwaitedIdsQuery) return ['awaited', 'awaited-too'];
    if (query instanceof HeldIdsQuery) return ['held', 'held-too'];
    throw new Error('unexpected');
  };
  returned = new ReturnedFiles(
    fake<QueryBus>({ execute }),
    fake<PackageStorage>({
      unclaimed: { list: async () => unclaimed },
      listStored: async () => new Set(['held', 'awaited-too', 'stranger']),
    }),
    fake<JobQueue>({ enqueue: async (jobs: NewJob[]) => void queued.push(...jobs.map(({ key }) => key)) }),
  );
});

it('has files verified whose packages are awaited, in their place or aside', async () => {
  unclaimed = [
    { name: 'a', packageId: 'awaited' },
    { name: 'b', packageId: 'awaited' },
    { name: 'c', packageId: null },
  ];
  expect(await returned.verifyAll()).toBe(2);
  expect(queued).toEqual(['verify:awaited-too', 'verify:awaited']);
});

it('has files aside looked at once whose packages were uploaded again', async () => {
  unclaimed = [
    { name: 'a', packageId: 'held' },
    { name: 'b', packageId: 'unknown' },
  ];
  await returned.verifyAll();
  await returned.verifyAll();
  unclaimed.push({ name: 'd', packageId: 'held-too' });
  await returned.verifyAll();
  expect(queued.filter((key) => key.includes('held'))).toEqual(['verify:held', 'verify:held-too']);
});
