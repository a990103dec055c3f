import type { DiscoveryService } from '@nestjs/core';
import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryLocks } from '../../../test/support/memory-locks.js';
import {
  type BackgroundTask,
  type BackgroundTaskOptions,
  BackgroundTasks,
  runBackgroundTask,
  type StartPhase,
} from './background-tasks.js';
import { untilAborted } from './restarting-work.js';
import type { ProcessRole, Settings } from './settings.js';
import { FailingReaders } from '../failures/failing-readers.js';

type Given = readonly [Partial<BackgroundTaskOptions> & { name: string; phase: StartPhase }, BackgroundTask];

/** The tasks of a process of that role. */
function scene(given: readonly Given[], role: ProcessRole = 'all'): BackgroundTasks {
  // Each fake has what the tasks are found and filtered by.
  const discovery = {
    getProviders: () => given.map(([, instance]) => ({ instance })),
    getMetadataByDecorator: (_decorator: unknown, { instance }: { instance: BackgroundTask }) => ({
      roles: ['all'],
      ...given.find(([, task]) => task === instance)?.[0],
    }),
  } as unknown as DiscoveryService;
  return new BackgroundTasks(
    discovery,
    { role } as Partial<Settings> as Settings,
    new MemoryLocks(),
    new FailingReaders(),
  );
}

describe('background tasks', () => {
  let log: string[];
  const task = (name: string): BackgroundTask => ({
    start: async () => void log.push(`${name} starts`),
    run: async (signal) => {
      log.push(`${name} runs`);
      await untilAborted(signal);
      log.push(`${name} stops`);
    },
  });
  beforeEach(() => (log = []));

  it('start one after the other by phase and name, and stop in the reverse order', async () => {
    const tasks = scene([
      [{ name: 'c', phase: 'follow-peers' }, task('c')],
      [{ name: 'b', phase: 'work' }, task('b')],
      [{ name: 'a', phase: 'observe' }, task('a')],
    ]);
    await tasks.start();
    expect(log).toEqual(['a starts', 'a runs', 'b starts', 'b runs', 'c starts', 'c runs']);
    log = [];
    await tasks.beforeApplicationShutdown();
    expect(log).toEqual(['c stops', 'b stops', 'a stops']);
  });

  it('run in processes of their roles only', async () => {
    const tasks = scene(
      [
        [{ name: 'a', phase: 'observe', roles: ['all', 'api'] }, task('a')],
        [{ name: 'b', phase: 'observe', roles: ['all', 'worker'] }, task('b')],
      ],
      'worker',
    );
    await tasks.start();
    await tasks.beforeApplicationShutdown();
    expect(log).toEqual(['b starts', 'b runs', 'b stops']);
  });

  it('do not start after one whose start fails', async () => {
    const failing = { start: () => Promise.reject(new Error('no database')) };
    const tasks = scene([
      [{ name: 'a', phase: 'observe' }, failing],
      [{ name: 'b', phase: 'work' }, task('b')],
    ]);
    await expect(tasks.start()).rejects.toThrow('no database');
    expect(log).toEqual([]);
  });

  it('do not start any more when the server stops meanwhile', async () => {
    let finish = (): void => undefined;
    const slow: BackgroundTask = { start: () => new Promise((resolve) => (finish = resolve)), run: task('a').run };
    const tasks = scene([
      [{ name: 'a', phase: 'observe' }, slow],
      [{ name: 'b', phase: 'work' }, task('b')],
    ]);
    const starting = tasks.start();
    await tasks.beforeApplicationShutdown();
    finish();
    await starting;
    expect(log).toEqual([]);
  });

  it('only start when they are not enabled', async () => {
    const tasks = scene([
      [
        { name: 'a', phase: 'observe' },
        { ...task('a'), isEnabled: false },
      ],
    ]);
    await tasks.start();
    await tasks.beforeApplicationShutdown();
    expect(log).toEqual(['a starts']);
  });
});

describe('a background task that runs', () => {
  const error = vi.fn<(message: string) => void>();
  beforeEach(() => {
    vi.useFakeTimers();
    error.mockReset();
  });
  afterEach(() => void vi.useRealTimers());

  it('is restarted after a failure, which the log tells', async () => {
    let runs = 0;
    const run = async (signal: AbortSignal): Promise<void> => {
      runs += 1;
      if (runs < 3) throw new Error('The disk is full.');
      await untilAborted(signal);
    };
    const running = runBackgroundTask({ run }, { name: 'tidy up' }, new MemoryLocks(), { error });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(runs).toBe(3);
    expect(error).toHaveBeenCalledTimes(2);
    expect(error.mock.calls[0]?.[0]).toMatch(
      /^The task "tidy up" failed: The disk is full. It starts again in \d+ ms.$/,
    );
    await running.stop();
  });

  it('counts as failing until it has run for some time without an error', async () => {
    let runs = 0;
    const run = async (signal: AbortSignal): Promise<void> => {
      runs += 1;
      if (runs < 4) await new Promise((_, reject) => setTimeout(reject, 60_000, new Error('one bad item')));
      await untilAborted(signal);
    };
    const failures = new FailingReaders();
    const running = runBackgroundTask({ run }, { name: 'tidy up' }, new MemoryLocks(), { error }, failures);
    expect(failures.list()).toEqual([]);
    await vi.advanceTimersByTimeAsync(100_000);
    const [failing] = failures.list();
    expect(failing).toMatchObject({ reader: 'task "tidy up"', reason: 'one bad item' });
    await vi.advanceTimersByTimeAsync(100_000);
    expect(runs).toBe(4);
    expect(failures.list()).toEqual([failing]);
    await vi.advanceTimersByTimeAsync(300_000);
    expect(failures.list()).toEqual([]);
    await running.stop();
  });

  it('waits for its lock, and gives it to the next process when it stops', async () => {
    const locks = new MemoryLocks();
    const begun: string[] = [];
    const [first, second] = ['first', 'second'].map((name) => {
      const run = async (signal: AbortSignal): Promise<void> => {
        begun.push(name);
        await untilAborted(signal);
      };
      return runBackgroundTask({ run }, { name, lock: 'one at a time' }, locks, new Logger());
    });
    await vi.advanceTimersByTimeAsync(10);
    expect(begun).toEqual(['first']);
    await first?.stop();
    await vi.advanceTimersByTimeAsync(10);
    expect(begun).toEqual(['first', 'second']);
    await second?.stop();
  });

  it('reads its own state while it runs', async () => {
    class Counter implements BackgroundTask {
      count = 0;
      async run(signal: AbortSignal): Promise<void> {
        this.count += 1;
        await untilAborted(signal);
      }
    }
    const counter = new Counter();
    await runBackgroundTask(counter, { name: 'counter' }, new MemoryLocks(), { error }).stop();
    expect(counter.count).toBe(1);
  });
});
