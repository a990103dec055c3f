import { describe, expect, it, vi } from 'vitest';
import { killedProcesses } from './job-queue/killed.js';
import { orderOfJobs } from './job-queue/order.js';
import { NOTHING, Recorder, Scene, WAIT, type JobQueueEngine } from './job-queue/scene.js';
import { whatIsShown } from './job-queue/shown.js';

/** What every job queue engine must keep. */
export function jobQueueContract(name: string, start: () => Promise<JobQueueEngine>): void {
  describe(`job queue: ${name}`, () => {
    const scene = new Scene(start);
    const { open, working } = scene;

    it('does every job with its data, soon after it was asked for', async () => {
      const recorder = new Recorder('echo');
      const queue = await working([recorder]);
      const latencies: number[] = [];
      for (let i = 0; i < 20; i++) {
        const asked = performance.now();
        await queue.enqueue([{ name: 'echo', key: `echo:${i}`, data: { i, text: 'ä"\\', list: [1, null] } }]);
        await vi.waitFor(() => expect(recorder.seen).toHaveLength(i + 1), { timeout: 5000, interval: 1 });
        latencies.push((recorder.at[i] ?? 0) - asked);
      }
      expect(recorder.seen[3]).toMatchObject({
        name: 'echo',
        key: 'echo:3',
        data: { i: 3, text: 'ä"\\', list: [1, null] },
        attempt: 1,
      });
      expect(latencies.sort((a, b) => a - b)[10]).toBeLessThan(50);
      await vi.waitFor(async () => expect(await queue.countJobs()).toMatchObject(NOTHING), WAIT);
    });

    it('tells a job what it comes of', async () => {
      const recorder = new Recorder('caused');
      const queue = await working([recorder]);
      const cause = { correlationId: 'call', causationId: null };
      await queue.enqueue([
        { name: 'caused', key: 'caused:1', data: {}, cause },
        { name: 'caused', key: 'caused:2', data: {} },
      ]);
      await vi.waitFor(() => expect(recorder.seen).toHaveLength(2), WAIT);
      expect(new Map(recorder.seen.map((job) => [job.key, job.cause]))).toEqual(
        new Map([
          ['caused:1', cause],
          ['caused:2', undefined],
        ]),
      );
    });

    it('does 1,000 jobs, each at least once, with two processes at work', async () => {
      const one = new Recorder('many');
      const two = new Recorder('many');
      const queue = await working([one]);
      await working([two]);
      for (let i = 0; i < 10; i++) {
        await queue.enqueue(Array.from({ length: 100 }, (_, n) => ({ name: 'many', key: `many:${i}:${n}`, data: n })));
      }
      const keys = (): Set<string> => new Set([...one.seen, ...two.seen].map(({ key }) => key));
      await vi.waitFor(() => expect(keys().size).toBe(1000), WAIT);
    });

    it('makes one job of waiting jobs of one key: the last', async () => {
      const queue = open();
      await queue.enqueue([1, 2].map((data) => ({ name: 'same', key: 'same', data })));
      await queue.enqueue([{ name: 'same', key: 'same', data: 3 }]);
      expect(await queue.countJobs()).toMatchObject({ waiting: 1 });
      const recorder = new Recorder('same');
      await working([recorder]);
      await vi.waitFor(async () => expect(await queue.countJobs()).toMatchObject(NOTHING), WAIT);
      expect(recorder.seen.map(({ data }) => data)).toEqual([3]);
    });

    it('does a job again when its key is asked for while it runs, also when the first run fails', async () => {
      const queue = open();
      const recorder = new Recorder('busy', async ({ data }) => {
        if (data === 1) await queue.enqueue([{ name: 'busy', key: 'busy', data: 2 }]);
        if (data === 1) throw new Error('too late');
      });
      await queue.startWork([recorder], 2);
      await queue.enqueue([{ name: 'busy', key: 'busy', data: 1 }]);
      await vi.waitFor(async () => {
        expect(recorder.seen.map(({ data }) => data)).toEqual([1, 2]);
        expect(await queue.countJobs()).toEqual({ ...NOTHING, stuck: 0 });
      }, WAIT);
    });

    it('does a delayed job when it is due', async () => {
      const recorder = new Recorder('later');
      const queue = await working([recorder]);
      const due = performance.now() + 300;
      await queue.enqueue([{ name: 'later', key: 'later', data: null, runAt: new Date(Date.now() + 300) }]);
      await vi.waitFor(() => expect(recorder.seen).toHaveLength(1), WAIT);
      expect((recorder.at[0] ?? 0) - due).toBeGreaterThan(-20);
      expect((recorder.at[0] ?? 0) - due).toBeLessThan(500);
    });

    it('tries again after a backoff that grows, and counts the tries', async () => {
      const recorder = new Recorder('flaky', ({ attempt }) => {
        if (attempt < 4) throw new Error('not yet');
      });
      const queue = await working([recorder]);
      await queue.enqueue([{ name: 'flaky', key: 'flaky', data: 1 }]);
      await vi.waitFor(() => expect(recorder.seen).toHaveLength(4), WAIT);
      expect(recorder.seen.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
      const gaps = recorder.at.slice(1).map((at, i) => at - (recorder.at[i] ?? 0));
      [250, 500, 1000].forEach((full, i) => {
        expect(gaps[i]).toBeGreaterThan(full / 2 - 20);
        expect(gaps[i]).toBeLessThan(full + 1000);
      });
      await vi.waitFor(async () => expect(await queue.countJobs()).toEqual({ ...NOTHING, stuck: 0 }), WAIT);
    });

    it('gives up after the handler’s tries, shows it, and starts anew when asked to', async () => {
      let isPoison = true;
      const recorder = new Recorder(
        'poison',
        () => {
          if (isPoison) throw new Error('poison');
        },
        2,
      );
      const queue = await working([recorder]);
      await queue.enqueue([{ name: 'poison', key: 'poison', data: 1 }]);
      await vi.waitFor(async () => expect(await queue.countJobs()).toEqual({ ...NOTHING, stuck: 1 }), WAIT);
      expect(recorder.seen).toHaveLength(2);
      isPoison = false;
      await queue.enqueue([{ name: 'poison', key: 'poison', data: 2 }]);
      await vi.waitFor(async () => expect(await queue.countJobs()).toEqual({ ...NOTHING, stuck: 0 }), WAIT);
      expect(recorder.seen.map(({ attempt, data }) => [attempt, data])).toEqual([
        [1, 1],
        [2, 1],
        [1, 2],
      ]);
    });

    it('stops after the running jobs, tells them, and loses none', async () => {
      const first = new Recorder(
        'slow',
        ({ signal }) =>
          new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(new Error('aborted')));
          }),
        1,
      );
      const queue = scene.openUnwatched();
      await queue.startWork([first], 2);
      await queue.enqueue([1, 2, 3].map((data) => ({ name: 'slow', key: `slow:${data}`, data })));
      await vi.waitFor(() => expect(first.seen).toHaveLength(2), WAIT);
      await queue.stop();
      expect(first.seen).toHaveLength(2);
      const second = new Recorder('slow');
      await working([second]);
      await vi.waitFor(() => expect(new Set(second.seen.map(({ data }) => data))).toEqual(new Set([1, 2, 3])), WAIT);
      expect(second.seen.map(({ attempt }) => attempt)).toEqual([1, 1, 1]);
    });

    orderOfJobs(scene);
    killedProcesses(scene);
    // Leaves failed jobs behind.
    whatIsShown(scene);
  });
}
