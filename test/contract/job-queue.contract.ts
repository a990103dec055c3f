import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { JobHandler, JobQueue, RateLimit, RunningJob } from '../../src/ports/job-queue.port.js';
import type { Child } from '../support/child.js';

/** An engine under test. */
export interface JobQueueEngine {
  /** One more client of the same queue. */
  open(): JobQueue;
  /** A process that works as deadly-worker.ts says. */
  spawnWorker(): Child;
  close(): Promise<void>;
}

/** Records what it is given; does what the test says with it. */
class Recorder implements JobHandler {
  readonly seen: RunningJob[] = [];
  readonly at: number[] = [];

  constructor(
    readonly name: string,
    private readonly work: (job: RunningJob) => Promise<void> | void = () => undefined,
    readonly maxAttempts = 5,
    readonly rateLimit?: RateLimit,
  ) {}

  async handle(job: RunningJob): Promise<void> {
    this.seen.push(job);
    this.at.push(performance.now());
    await this.work(job);
  }
}

/** Resolves when it is told to. */
class Gate {
  open: () => void = () => undefined;
  readonly opened = new Promise<void>((resolve) => (this.open = resolve));
}

const WAIT = { timeout: 30_000, interval: 5 };

/** What every job queue engine must keep. */
export function jobQueueContract(name: string, start: () => Promise<JobQueueEngine>): void {
  describe(`job queue: ${name}`, () => {
    let engine: JobQueueEngine;
    let queues: JobQueue[] = [];
    const open = (): JobQueue => {
      const queue = engine.open();
      queues.push(queue);
      return queue;
    };
    const working = async (handlers: readonly JobHandler[], concurrency = 4): Promise<JobQueue> => {
      const queue = open();
      await queue.work(handlers, concurrency);
      return queue;
    };
    const empty = { waiting: 0, running: 0 };

    beforeAll(async () => {
      engine = await start();
    });
    afterEach(async () => {
      await Promise.all(queues.map((queue) => queue.stop()));
      queues = [];
    });
    afterAll(() => engine.close());

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
      expect(recorder.seen[3]).toMatchObject({ name: 'echo', key: 'echo:3', data: { i: 3, text: 'ä"\\', list: [1, null] }, attempt: 1 });
      expect(latencies.sort((a, b) => a - b)[10]).toBeLessThan(50);
      await vi.waitFor(async () => expect(await queue.counts()).toMatchObject(empty), WAIT);
    });

    it('tells a job what it comes of', async () => {
      const recorder = new Recorder('caused');
      const queue = await working([recorder]);
      const cause = { correlationId: 'call', causationId: null };
      await queue.enqueue([{ name: 'caused', key: 'caused:1', data: {}, cause }, { name: 'caused', key: 'caused:2', data: {} }]);
      await vi.waitFor(() => expect(recorder.seen).toHaveLength(2), WAIT);
      expect(new Map(recorder.seen.map((job) => [job.key, job.cause]))).toEqual(new Map([['caused:1', cause], ['caused:2', undefined]]));
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
      expect(await queue.counts()).toMatchObject({ waiting: 1 });
      const recorder = new Recorder('same');
      await working([recorder]);
      await vi.waitFor(async () => expect(await queue.counts()).toMatchObject(empty), WAIT);
      expect(recorder.seen.map(({ data }) => data)).toEqual([3]);
    });

    it('does a job again when its key is asked for while it runs, also when the first run fails', async () => {
      const queue = open();
      const recorder = new Recorder('busy', async ({ data }) => {
        if (data === 1) await queue.enqueue([{ name: 'busy', key: 'busy', data: 2 }]);
        if (data === 1) throw new Error('too late');
      });
      await queue.work([recorder], 2);
      await queue.enqueue([{ name: 'busy', key: 'busy', data: 1 }]);
      await vi.waitFor(async () => {
        expect(recorder.seen.map(({ data }) => data)).toEqual([1, 2]);
        expect(await queue.counts()).toEqual({ ...empty, stuck: 0 });
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
      await vi.waitFor(async () => expect(await queue.counts()).toEqual({ ...empty, stuck: 0 }), WAIT);
    });

    it('gives up after the handler’s tries, shows it, and starts anew when asked to', async () => {
      let isPoison = true;
      const recorder = new Recorder('poison', () => { if (isPoison) throw new Error('poison'); }, 2);
      const queue = await working([recorder]);
      await queue.enqueue([{ name: 'poison', key: 'poison', data: 1 }]);
      await vi.waitFor(async () => expect(await queue.counts()).toEqual({ ...empty, stuck: 1 }), WAIT);
      expect(recorder.seen).toHaveLength(2);
      isPoison = false;
      await queue.enqueue([{ name: 'poison', key: 'poison', data: 2 }]);
      await vi.waitFor(async () => expect(await queue.counts()).toEqual({ ...empty, stuck: 0 }), WAIT);
      expect(recorder.seen.map(({ attempt, data }) => [attempt, data])).toEqual([[1, 1], [2, 1], [1, 2]]);
    });

    it('stops after the running jobs, tells them, and loses none', async () => {
      const first = new Recorder('slow', ({ signal }) => new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')));
      }), 1);
      const queue = engine.open();
      await queue.work([first], 2);
      await queue.enqueue([1, 2, 3].map((data) => ({ name: 'slow', key: `slow:${data}`, data })));
      await vi.waitFor(() => expect(first.seen).toHaveLength(2), WAIT);
      await queue.stop();
      expect(first.seen).toHaveLength(2);
      const second = new Recorder('slow');
      await working([second]);
      await vi.waitFor(() => expect(new Set(second.seen.map(({ data }) => data))).toEqual(new Set([1, 2, 3])), WAIT);
      expect(second.seen.map(({ attempt }) => attempt)).toEqual([1, 1, 1]);
    });

    it('gives the jobs of a killed process to another one', async () => {
      const child = engine.spawnWorker();
      const queue = open();
      await queue.enqueue([1, 2].map((data) => ({ name: 'hangs', key: `hangs:${data}`, data })));
      await vi.waitFor(() => expect(child.lines).toHaveLength(2), WAIT);
      const other = new Recorder('hangs');
      await queue.work([other], 2);
      await child.kill();
      await vi.waitFor(() => expect(new Set(other.seen.map(({ data }) => data))).toEqual(new Set([1, 2])), WAIT);
      expect(other.seen.map(({ attempt }) => attempt)).toEqual([2, 2]);
      await vi.waitFor(async () => expect(await queue.counts()).toEqual({ ...empty, stuck: 0 }), WAIT);
    });

    it('does every job of processes that are killed again and again', async () => {
      const queue = open();
      const keys = Array.from({ length: 6 }, (_, i) => `hangs:killed:${i}`);
      await queue.enqueue(keys.map((key) => ({ name: 'hangs', key, data: null })));
      for (let i = 0; i < 2; i++) {
        const child = engine.spawnWorker();
        await vi.waitFor(() => expect(child.lines).toHaveLength(2), WAIT);
        await child.kill();
      }
      const last = new Recorder('hangs');
      await queue.work([last], 4);
      await vi.waitFor(() => expect(new Set(last.seen.map(({ key }) => key))).toEqual(new Set(keys)), WAIT);
      await vi.waitFor(async () => expect(await queue.counts()).toEqual({ ...empty, stuck: 0 }), WAIT);
    });

    it('gives up on a job that takes its process down each time, and shows it', async () => {
      const queue = open();
      await queue.enqueue([{ name: 'dies', key: 'dies', data: null }]);
      for (let i = 0; i < 2; i++) {
        const child = engine.spawnWorker();
        await vi.waitFor(() => expect(child.lines).toEqual([`took dies ${i + 1}`]), WAIT);
        await child.kill();
      }
      const survivor = new Recorder('dies', undefined, 2);
      await queue.work([survivor], 2);
      await vi.waitFor(async () => expect(await queue.counts()).toEqual({ ...empty, stuck: 1 }), WAIT);
      expect(survivor.seen).toEqual([]);
      expect(await queue.failed(10)).toMatchObject([{ key: 'dies', attempts: 2, reason: 'The process ended during each try' }]);
      await queue.enqueue([{ name: 'dies', key: 'dies', data: null }]);
      await vi.waitFor(async () => expect(await queue.counts()).toEqual({ ...empty, stuck: 0 }), WAIT);
    });

    it('takes of the jobs that are due the one with the lowest number first, then in their order', async () => {
      const queue = open();
      const job = (key: string, priority?: number) => ({ name: 'ranked', key, data: null, ...(priority && { priority }) });
      await queue.enqueue([job('e', 900), job('c'), job('b', 20), job('d'), job('a', 1)]);
      const recorder = new Recorder('ranked');
      await queue.work([recorder], 1);
      await vi.waitFor(() => expect(recorder.seen.map(({ key }) => key).join('')).toBe('abcde'), WAIT);
    });

    it('keeps a replaced job’s place in line by the priority of the later one, and its time', async () => {
      const queue = open();
      await queue.enqueue([{ name: 'moved', key: 'm:1', data: 'old' }, { name: 'moved', key: 'm:2', data: 'two' }]);
      await queue.enqueue([{ name: 'moved', key: 'm:3', data: 'old', runAt: new Date(Date.now() + 3_600_000) }]);
      expect(await queue.counts()).toMatchObject({ waiting: 3 });
      const later = new Date(Date.now() + 3_600_000);
      await queue.enqueue([
        { name: 'moved', key: 'm:2', data: 'far', runAt: later },
        { name: 'moved', key: 'm:3', data: 'now', priority: 1 },
        { name: 'moved', key: 'm:1', data: 'new', priority: 200 },
      ]);
      expect(await queue.counts()).toMatchObject({ waiting: 3 });
      const recorder = new Recorder('moved');
      await queue.work([recorder], 1);
      await vi.waitFor(() => expect(recorder.seen.map(({ data }) => data)).toEqual(['now', 'new']), WAIT);
      await queue.enqueue([{ name: 'moved', key: 'm:2', data: 'soon' }]);
      await vi.waitFor(() => expect(recorder.seen.map(({ data }) => data)).toEqual(['now', 'new', 'soon']), WAIT);
      await vi.waitFor(async () => expect(await queue.counts()).toEqual({ ...empty, stuck: 0 }), WAIT);
    });

    it('makes one job of what several processes ask for at once, beside the one that runs', async () => {
      const queue = open();
      const gate = new Gate();
      const recorder = new Recorder('crowd', ({ data }) => (data === 'first' ? gate.opened : undefined));
      await queue.work([recorder], 1);
      await queue.enqueue([{ name: 'crowd', key: 'crowd', data: 'first' }]);
      await vi.waitFor(() => expect(recorder.seen).toHaveLength(1), WAIT);
      const others = Array.from({ length: 4 }, open);
      await Promise.all(others.flatMap((other) => [1, 2, 3].map((data) => other.enqueue([{ name: 'crowd', key: 'crowd', data }]))));
      expect(await queue.counts()).toMatchObject({ waiting: 1, running: 1 });
      gate.open();
      await vi.waitFor(async () => expect(await queue.counts()).toEqual({ ...empty, stuck: 0 }), WAIT);
      expect(recorder.seen).toHaveLength(2);
    });

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
      const recorder = new Recorder('fails', ({ key }) => { throw new Error(`no ${key}`); }, 2);
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

    it('begins no more tries than the rate limit of a handler allows, and loses none', async () => {
      const queue = open();
      const recorder = new Recorder('limited', undefined, 1, { jobs: 3, perMs: 400 });
      const free = new Recorder('free');
      await queue.work([recorder, free], 4);
      await queue.enqueue(Array.from({ length: 10 }, (_, i) => ({ name: 'limited', key: `limited:${i}`, data: i })));
      await queue.enqueue([{ name: 'free', key: 'free', data: null }]);
      await vi.waitFor(() => expect(new Set(recorder.seen.map(({ key }) => key)).size).toBe(10), WAIT);
      expect(recorder.seen.every(({ attempt }) => attempt === 1)).toBe(true);
      expect(free.seen).toHaveLength(1);
      // Between the fourth start and the first lies a whole window, but for the time that a start takes to get here.
      const gaps = recorder.at.slice(3).map((at, i) => at - (recorder.at[i] ?? 0));
      expect(Math.min(...gaps)).toBeGreaterThan(200);
      const { waiting, running } = await queue.counts();
      expect({ waiting, running }).toEqual(empty);
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
  });
}
