import { once } from 'node:events';
import { GraphileJobQueue } from '../../src/adapters/job-queue/graphile/graphile-job-queue.js';

const queue = new GraphileJobQueue(JSON.parse(process.env['TEST_DATABASE'] ?? ''));
const handler = {
  name: 'hangs',
  maxAttempts: 5,
  handle: async ({ key, signal }: { key: string; signal: AbortSignal }): Promise<void> => {
    process.stdout.write(`took ${key}\n`);
    await once(signal, 'abort');
  },
};
await queue.work([handler], 2);
