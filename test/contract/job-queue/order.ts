import { expect, it, vi } from 'vitest';
import { Gate, NOTHING, Recorder, WAIT, type Scene } from './scene.js';

/** Which job comes when. */
export function orderOfJobs({ open }: Scene): void {
  it('takes of the jobs that are due the one with the lowest number first, then in their order', async () => {
    const queue = open();
    const job = (key: string, priority?: number) => ({
      name: 'ranked',
      key,
      data: null,
      ...(priority && { priority }),
    });
    await queue.enqueue([job('e', 900), job('c'), job('b', 20), job('d'), job('a', 1)]);
    const recorder = new Recorder('ranked');
    await queue.startWork([recorder], 1);
    await vi.waitFor(() => expect(recorder.seen.map(({ key }) => key).join('')).toBe('abcde'), WAIT);
  });

  it('keeps a replaced job’s place in line by the priority of the later one, and its time', async () => {
    const queue = open();
    await queue.enqueue([
      { name: 'moved', key: 'm:1', data: 'old' },
      { name: 'moved', key: 'm:2', data: 'two' },
    ]);
    await queue.enqueue([{ name: 'moved', key: 'm:3', data: 'old', runAt: new Date(Date.now() + 3_600_000) }]);
    expect(await queue.countJobs()).toMatchObject({ waiting: 3, due: 2 });
    const later = new Date(Date.now() + 3_600_000);
    await queue.enqueue([
      { name: 'moved', key: 'm:2', data: 'far', runAt: later },
      { name: 'moved', key: 'm:3', data: 'now', priority: 1 },
      { name: 'moved', key: 'm:1', data: 'new', priority: 200 },
    ]);
    expect(await queue.countJobs()).toMatchObject({ waiting: 3 });
    const recorder = new Recorder('moved');
    await queue.startWork([recorder], 1);
    await vi.waitFor(() => expect(recorder.seen.map(({ data }) => data)).toEqual(['now', 'new']), WAIT);
    await queue.enqueue([{ name: 'moved', key: 'm:2', data: 'soon' }]);
    await vi.waitFor(() => expect(recorder.seen.map(({ data }) => data)).toEqual(['now', 'new', 'soon']), WAIT);
    await vi.waitFor(async () => expect(await queue.countJobs()).toEqual({ ...NOTHING, stuck: 0 }), WAIT);
  });

  it('makes one job of what several processes ask for at once, beside the one that runs', async () => {
    const queue = open();
    const gate = new Gate();
    const recorder = new Recorder('crowd', ({ data }) => (data === 'first' ? gate.opened : undefined));
    await queue.startWork([recorder], 1);
    await queue.enqueue([{ name: 'crowd', key: 'crowd', data: 'first' }]);
    await vi.waitFor(() => expect(recorder.seen).toHaveLength(1), WAIT);
    const others = Array.from({ length: 4 }, open);
    await Promise.all(
      others.flatMap((other) => [1, 2, 3].map((data) => other.enqueue([{ name: 'crowd', key: 'crowd', data }]))),
    );
    expect(await queue.countJobs()).toMatchObject({ waiting: 1, running: 1 });
    gate.open();
    await vi.waitFor(async () => expect(await queue.countJobs()).toEqual({ ...NOTHING, stuck: 0 }), WAIT);
    expect(recorder.seen).toHaveLength(2);
  });

  it('begins no more tries than the rate limit of a handler allows, and loses none', async () => {
    const queue = open();
    const recorder = new Recorder('limited', undefined, 1, { jobs: 3, perMs: 400 });
    const free = new Recorder('free');
    await queue.startWork([recorder, free], 4);
    await queue.enqueue(Array.from({ length: 10 }, (_, i) => ({ name: 'limited', key: `limited:${i}`, data: i })));
    await queue.enqueue([{ name: 'free', key: 'free', data: null }]);
    await vi.waitFor(() => expect(new Set(recorder.seen.map(({ key }) => key)).size).toBe(10), WAIT);
    expect(recorder.seen.every(({ attempt }) => attempt === 1)).toBe(true);
    expect(free.seen).toHaveLength(1);
    // Between the fourth start and the first lies a whole window, but for the time that a start takes to get here.
    const gaps = recorder.at.slice(3).map((at, i) => at - (recorder.at[i] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThan(200);
    await vi.waitFor(async () => expect(await queue.countJobs()).toMatchObject(NOTHING), WAIT);
  });
}
