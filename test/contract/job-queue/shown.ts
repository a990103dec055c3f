import { expect, it, vi } from 'vitest';
import { Gate, Recorder, WAIT, type Scene } from './scene.js';

/** What the queue says of its jobs, and of itself. */
export function whatIsShown({ open }: Scene): void {
  it('shows what runs, and how far it says it is', async () => {
    const queue = open();
    const gate = new Gate();
    const recorder = new Recorder('shown', async (job) => {
      await job.showProgress(0.25);
      await gate.opened;
    });
    await queue.startWork([recorder], 1);
    await queue.enqueue([{ name: 'shown', key: 'shown', data: null }]);
    await vi.waitFor(async () => {
      expect(await queue.findRunning()).toEqual([{ name: 'shown', key: 'shown', attempt: 1, progress: 0.25 }]);
    }, WAIT);
    gate.open();
    await vi.waitFor(async () => expect(await queue.findRunning()).toEqual([]), WAIT);
  });

  it('lists the jobs that gave up, the last one first', async () => {
    const queue = open();
    const recorder = new Recorder(
      'fails',
      ({ key }) => {
        throw new Error(`no ${key}`);
      },
      2,
    );
    await queue.startWork([recorder], 1);
    for (const key of ['f:1', 'f:2']) {
      const { stuck } = await queue.countJobs();
      await queue.enqueue([{ name: 'fails', key, data: null }]);
      await vi.waitFor(async () => expect(await queue.countJobs()).toMatchObject({ stuck: stuck + 1 }), WAIT);
    }
    const [last, ...rest] = await queue.findFailed(2);
    expect(last).toEqual({ name: 'fails', key: 'f:2', reason: 'no f:2', attempts: 2, failedAt: expect.any(Date) });
    expect(Math.abs(Date.now() - (last?.failedAt.getTime() ?? 0))).toBeLessThan(60_000);
    expect(rest).toMatchObject([{ key: 'f:1' }]);
    expect(await queue.findFailed(1)).toHaveLength(1);
  });

  it('keeps a mark, which is no job', async () => {
    const queue = open();
    const before = await queue.countJobs();
    expect(await queue.leaveMark()).toBe(false);
    expect(await open().leaveMark()).toBe(true);
    expect(await queue.countJobs()).toEqual(before);
    const failed = await queue.findFailed(100);
    await queue.startWork([new Recorder('any')], 1);
    expect(await queue.leaveMark()).toBe(true);
    expect(await queue.findFailed(100)).toEqual(failed);
  });
}
