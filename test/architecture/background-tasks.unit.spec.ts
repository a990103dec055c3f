// The classes are loaded with all that they import, which takes longer than a test usually may.
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { DiscoveryService } from '@nestjs/core';
import {
  AsBackgroundTask,
  BackgroundTasks,
  type BackgroundTaskOptions,
} from '../../src/platform/runtime/background-tasks.js';
import { PROCESS_ROLES, type ProcessRole, type Settings } from '../../src/platform/runtime/settings.js';
import { MemoryLocks } from '../support/memory-locks.js';
import { FailingReaders } from '../../src/platform/failures/failing-readers.js';

const sources = ['src/platform', 'src/modules']
  .flatMap((folder) => readdirSync(folder, { recursive: true }).map((file) => `${folder}/${String(file)}`))
  .filter((file) => file.endsWith('.ts') && /^@AsBackgroundTask\(/m.test(readFileSync(file, 'utf8')));

let tasks: BackgroundTaskOptions[] = [];
beforeAll(async () => {
  const loaded = await Promise.all(sources.map((file): Promise<object> => import(resolve(file))));
  tasks = loaded.flatMap((exported) =>
    Object.values(exported).flatMap((value: unknown): BackgroundTaskOptions[] => {
      const options = typeof value === 'function' ? Reflect.getMetadata(AsBackgroundTask.KEY, value) : undefined;
      return options ? [options] : [];
    }),
  );
}, 60_000);

/** The names of the tasks that a process of this role starts, in the order in which they start. */
async function startedBy(role: ProcessRole): Promise<readonly string[]> {
  const started: string[] = [];
  // The discovery has what the tasks are found by; each instance notes its start and does nothing.
  const discovery = {
    getProviders: () =>
      tasks.map((options) => ({ options, instance: { start: async () => void started.push(options.name) } })),
    getMetadataByDecorator: (_decorator: unknown, { options }: { options: BackgroundTaskOptions }) => options,
  } as unknown as DiscoveryService;
  const settings = { role } as Partial<Settings> as Settings;
  await new BackgroundTasks(discovery, settings, new MemoryLocks(), new FailingReaders()).start();
  return started;
}

describe('the background tasks of a process', () => {
  it('start in an order in which nothing is missed and nothing is lost', async () => {
    expect(await startedBy('all')).toEqual([
      'audit chain',
      'projection progress',
      'queue health',
      'running processes',
      'unprocessable events',
      'tunnel opener',
      'directory refresh',
      'reactions',
      'jobs',
      'queue watch',
      'key announcements',
      'missing files',
      'scrub',
      'signing of earlier facts',
      'transfer report',
      'unclaimed files',
      'feed followers',
    ]);
  });

  it('are divided among the processes that answer calls and those that work', async () => {
    expect(await startedBy('api')).toEqual([
      'audit chain',
      'projection progress',
      'queue health',
      'running processes',
      'unprocessable events',
      'tunnel opener',
      'directory refresh',
    ]);
    expect(await startedBy('worker')).toEqual((await startedBy('all')).filter((name) => name !== 'tunnel opener'));
    expect(PROCESS_ROLES).toEqual(['all', 'api', 'worker']);
  });

  it('have names and locks of their own', () => {
    const locks = tasks.flatMap(({ lock }) => lock ?? []);
    expect(locks.toSorted()).toEqual([
      'audit chain',
      'directory-refresher',
      'scrub',
      'sign earlier facts',
      'unclaimed files',
      'unprocessable events',
    ]);
    expect(new Set(tasks.map(({ name }) => name)).size).toBe(sources.length);
  });
});
