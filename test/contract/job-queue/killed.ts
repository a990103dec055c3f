import { expect, it, vi } from 'vitest';
import { NOTHING, Recorder, WAIT, type Scene } from './scene.js';

/** Child processes are compiled as they start. */
const SLOW = 240_000;

/** What comes of the jobs of processes that end by SIGKILL. */
export function killedProcesses({ open, spawnWorker }: Scene): void {
  it(
    'gives the jobs of a killed process to another one',
    async () => {
      const child = spawnWorker();
      const queue = open();
      await queue.enqueue([1, 2].map((data) => ({ name: 'hangs', key: `hangs:${data}`, data })));
      await vi.waitFor(() => expect(child.lines).toHaveLength(2), WAIT);
      const other = new Recorder('hangs');
      await queue.startWork([other], 2);
      await child.kill();
      await vi.waitFor(() => expect(new Set(other.seen.map(({ data }) => data))).toEqual(new Set([1, 2])), WAIT);
      expect(other.seen.map(({ attempt }) => attempt)).toEqual([2, 2]);
      await vi.waitFor(async () => expect(await queue.countJobs()).toEqual({ ...NOTHING, stuck: 0 }), WAIT);
    },
    SLOW,
  );

  it(
    'does every job of processes that are killed again and again',
    async () => {
      const queue = open();
      const keys = Array.from({ length: 6 }, (_, i) => `hangs:killed:${i}`);
      await queue.enqueue(keys.map((key) => ({ name: 'hangs', key, data: null })));
      for (let i = 0; i < 2; i++) {
        const child = spawnWorker();
        await vi.waitFor(() => expect(child.lines).toHaveLength(2), WAIT);
        await child.kill();
      }
      const last = new Recorder('hangs');
      await queue.startWork([last], 4);
      await vi.waitFor(() => expect(new Set(last.seen.map(({ key }) => key))).toEqual(new Set(keys)), WAIT);
      await vi.waitFor(async () => expect(await queue.countJobs()).toEqual({ ...NOTHING, stuck: 0 }), WAIT);
    },
    SLOW,
  );

  it(
    'gives up on a job that takes its process down each time, and shows it',
    async () => {
      const queue = open();
      await queue.enqueue([{ name: 'dies', key: 'dies', data: null }]);
      for (let i = 0; i < 2; i++) {
        const child = spawnWorker();
        await vi.waitFor(() => expect(child.lines).toEqual([`took dies ${i + 1}`]), WAIT);
        await child.kill();
      }
      const survivor = new Recorder('dies', undefined, 2);
      await queue.startWork([survivor], 2);
      await vi.waitFor(async () => expect(await queue.countJobs()).toEqual({ ...NOTHING, stuck: 1 }), WAIT);
      expect(survivor.seen).toEqual([]);
      expect(await queue.findFailed(10)).toMatchObject([
        { key: 'dies', attempts: 2, reason: 'The process ended during every attempt' },
      ]);
      await queue.enqueue([{ name: 'dies', key: 'dies', data: null }]);
      await vi.waitFor(async () => expect(await queue.countJobs()).toEqual({ ...NOTHING, stuck: 0 }), WAIT);
    },
    SLOW,
  );
}
