import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Logger } from '@nestjs/common';
import type { JobQueue, QueueCounts } from '../../ports/job-queue.port.js';
import { QueueHealth } from './queue-health.js';
import type { MissingRole, RunningProcesses } from './running-processes.js';

const NOTHING: QueueCounts = { waiting: 0, due: 0, running: 0, stuck: 0 };

/** A queue that counts as it is told; null is one that is away. */
function setUp(missing: readonly MissingRole[] = []) {
  let counts: QueueCounts | null = NOTHING;
  const queue = { countJobs: async () => counts ?? Promise.reject(new Error('away')) };
  const processes = { findMissing: () => missing } as unknown as RunningProcesses;
  const health = new QueueHealth(queue as unknown as JobQueue, processes);
  const stateAt = async (second: number, now: Partial<QueueCounts> | null): Promise<string> => {
    counts = now && { ...NOTHING, ...now };
    return (await health.checkQueue(second * 1_000)).state;
  };
  return { health, stateAt };
}

describe('the health of the job queue', () => {
  beforeEach(() => Logger.overrideLogger(false));
  afterEach(() => Logger.overrideLogger(['error', 'warn', 'log']));

  it('is idle when nothing is due, also while jobs wait for their time', async () => {
    const { stateAt } = setUp();
    expect(await stateAt(0, {})).toBe('IDLE');
    expect(await stateAt(100, { waiting: 3 })).toBe('IDLE');
  });

  it('is stuck when jobs are due for half a minute and nobody works', async () => {
    const { stateAt } = setUp();
    expect(await stateAt(0, { waiting: 1, due: 1 })).toBe('WORKING');
    expect(await stateAt(29, { waiting: 1, due: 1 })).toBe('WORKING');
    expect(await stateAt(30, { waiting: 1, due: 1 })).toBe('STUCK');
    expect(await stateAt(31, { waiting: 1, due: 1, running: 1 })).toBe('WORKING');
    expect(await stateAt(61, { waiting: 1, due: 1 })).toBe('WORKING');
  });

  it('is stuck when no process works in the background, also without a job', async () => {
    const missing = (role: MissingRole['role']) => [{ role, since: new Date(), words: `no ${role}` }];
    const { health, stateAt } = setUp(missing('worker'));
    expect(await stateAt(0, {})).toBe('STUCK');
    expect((await health.checkQueue()).advice).toBe('no worker');
    expect(await setUp(missing('api')).stateAt(0, {})).toBe('IDLE');
  });

  it('says what to do when the queue does not answer', async () => {
    const { health, stateAt } = setUp();
    expect(await stateAt(0, null)).toBe('UNAVAILABLE');
    expect((await health.checkQueue()).advice).toMatch(/does not answer/);
    expect(await stateAt(1, {})).toBe('IDLE');
  });
});
