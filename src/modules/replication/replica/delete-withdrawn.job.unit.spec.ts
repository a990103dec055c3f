import type { QueryBus } from '@nestjs/cqrs';
import { expect, it } from 'vitest';
import type { JobQueue, NewJob } from '../../../ports/job-queue.port.js';
import type { PackageStorage, StoredFile } from '../../../ports/package-storage.port.js';
import { SweepWithdrawnWorker } from './delete-withdrawn.job.js';

// Each fake has what the worker asks for.
const fake = <T>(parts: object) => parts as unknown as T;

it('the sweep has every file deleted that is there, also behind one that cannot be opened', async () => {
  const queued: string[] = [];
  let closed = 0;
  const openStored = async (packageId: string): Promise<StoredFile | null> => {
    if (packageId === 'refused') throw Object.assign(new Error('no'), { code: 'EACCES' });
    return packageId === 'gone' ? null : fake<StoredFile>({ close: () => (closed += 1) });
  };
  const withdrawn = ['refused', 'gone', 'there'].map((packageId) => ({ packageId, since: new Date(0) }));
  const worker = new SweepWithdrawnWorker(
    fake<QueryBus>({ execute: async () => withdrawn }),
    fake<PackageStorage>({ openStored }),
    fake<JobQueue>({ enqueue: async (jobs: NewJob[]) => void queued.push(...jobs.map(({ key }) => key)) }),
  );
  await worker.handle();
  expect(queued).toEqual(['withdrawn:refused', 'withdrawn:there']);
  expect(closed).toBe(1);
});
