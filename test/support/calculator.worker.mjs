// A thread for the specs of WorkerClient. Like every thread, it runs what `npm run build` has compiled.
import { setTimeout as delay } from 'node:timers/promises';
import { workerData } from 'node:worker_threads';
import { serveCalls } from '../../dist/src/adapters/shared/worker-client.js';

let sum = Number(workerData ?? 0);

serveCalls(async ({ kind, value }, { signal, reportProgress }) => {
  if (kind === 'add') sum += value;
  if (kind === 'fail') throw Object.assign(new Error('cannot do this'), { code: 'EFAIL' });
  if (kind === 'die') process.exit(7);
  if (kind === 'count') for (let i = 1; i <= value; i++) reportProgress(i);
  if (kind === 'wait') await delay(value, undefined, { signal }).catch(() => undefined);
  return signal.aborted ? 'aborted' : sum;
});
