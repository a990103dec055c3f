import { expect, it, vi } from 'vitest';
import { GraphileJobQueue } from '../../src/adapters/job-queue/graphile/graphile-job-queue.js';
import { Child } from '../support/child.js';
import { disconnect } from '../support/postgres-faults.js';
import { createTestDatabase } from '../support/test-database.js';
import { jobQueueContract } from './job-queue.contract.js';

jobQueueContract('graphile', async () => {
  const database = await createTestDatabase();
  return {
    open: () => new GraphileJobQueue(database.settings),
    spawnWorker: () =>
      new Child(new URL('job-queue/deadly-worker.ts', import.meta.url), {
        TEST_DATABASE: JSON.stringify(database.settings),
      }),
    close: () => database.drop(),
  };
});

it('goes on by itself after all its connections were lost', async () => {
  const database = await createTestDatabase();
  const queue = new GraphileJobQueue(database.settings);
  const seen: unknown[] = [];
  const handle = async ({ data }: { data: unknown }): Promise<void> => {
    const isFirst = !seen.includes(data);
    seen.push(data);
    // An attempt whose end could not be recorded is repeated. If each one cut the connections, the job would give up.
    if (data === 'cut' && isFirst) await disconnect(database.settings);
  };
  await queue.startWork([{ name: 'cut', maxAttempts: 5, handle }], 2);
  await queue.enqueue([{ name: 'cut', key: 'cut', data: 'cut' }]);
  await vi.waitFor(() => expect(seen).toContain('cut'), { timeout: 10_000 });
  await vi.waitFor(() => queue.enqueue([{ name: 'cut', key: 'after', data: 'after' }]), { timeout: 10_000 });
  await vi.waitFor(() => expect(seen).toContain('after'), { timeout: 20_000 });
  await vi.waitFor(async () => expect(await queue.countJobs()).toEqual({ waiting: 0, due: 0, running: 0, stuck: 0 }), {
    timeout: 20_000,
  });
  await queue.stop();
  await database.drop();
});
