import { expect, it, vi } from 'vitest';
import { Gate, Recorder, WAIT, type Scene } from './scene.js';

/** What the queue says of its jobs, and of itself. */
export function whatIsShown({ open }: Scene): void {
  it('shows what runs, and how far it says it is', async () => {
    const queue = open();
    const gate = new Gate();
    const recorder = new Recorder('shown', async (job) => {
      await job.progress(0.25);
      await gate.opened;
    });
    await queue.work([recorder], 1);
    await queue.enqueue([{ name: 'shown', key: 'shown', data: null }]);
    await vi.waitFor(async () => {
      expect(await queue.running()).toEqual([{ name: 'shown', key: 'shown', attempt: 1, progress: 0.25 }]);
    }, WAIT);
    gate.open();
    await vi.waitFor(async () => expect(await queue.running()).toEqual([]), WAIT);
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
    await queue.work([recorder], 1);
    for (const key of ['f:1', 'f:2']) {
      const { stuck } = await queue.counts();
      await queue.enqueue([{ name: 'fails', key, data: null }]);
      await vi.waitFor(async () => expect(await queue.counts()).toMatchObject({ stuck: stuck + 1 }), WAIT);
    }
    const [last, ...rest] = await queue.failed(2);
    expect(last).toEqual({ name: 'fails', key: 'f:2', reason: 'no f:2', attempts: 2, failedAt: expect.any(Date) });
    expect(Math.abs(Date.now() - (last?.failedAt.getTime() ?? 0))).toBeLessThan(60_000);
    expect(rest).toMatchObject([{ key: 'f:1' }]);
    expect(await queue.failed(1)).toHaveLength(1);
  });

  it('keeps a mark, which is no job', async () => {
    const queue = open();
    const before = await queue.counts();
    expect(await queue.mark()).toBe(false);
    expect(await open().mark()).toBe(true);
    expect(await queue.counts()).toEqual(before);
    const failed = await queue.failed(100);
    await queue.work([new Recorder('any')], 1);
    expect(await queue.mark()).toBe(true);
    expect(await queue.failed(100)).toEqual(failed);
  });
}
