// The classes are loaded with all that they import, which takes longer than a test usually may.
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  AsBackgroundTask,
  compareStartOrder,
  type BackgroundTaskOptions,
} from '../../src/platform/runtime/background-tasks.js';
import { PROCESS_ROLES, type ProcessRole } from '../../src/platform/runtime/settings.js';

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
  tasks.sort(compareStartOrder);
}, 60_000);

const startedBy = (role: ProcessRole): string[] =>
  tasks.filter(({ roles }) => roles.includes(role)).map(({ name }) => name);

describe('the background tasks of a process', () => {
  it('start in an order in which nothing is missed and nothing is lost', () => {
    expect(startedBy('all')).toEqual([
      'audit chain',
      'projection progress',
      'queue health',
      'unprocessable events',
      'tunnel opener',
      'directory refresh',
      'reactions',
      'jobs',
      'queue watch',
      'key announcements',
      'missing files',
      'scrub',
      'transfer report',
      'feed followers',
    ]);
  });

  it('are divided among the processes that answer calls and those that work', () => {
    expect(startedBy('api')).toEqual([
      'audit chain',
      'projection progress',
      'queue health',
      'unprocessable events',
      'tunnel opener',
      'directory refresh',
    ]);
    expect(startedBy('worker')).toEqual(startedBy('all').filter((name) => name !== 'tunnel opener'));
    expect(PROCESS_ROLES).toEqual(['all', 'api', 'worker']);
  });

  it('have names and locks of their own', () => {
    const locks = tasks.flatMap(({ lock }) => lock ?? []);
    expect(locks.toSorted()).toEqual(['audit chain', 'directory-refresher', 'scrub', 'unprocessable events']);
    expect(new Set(tasks.map(({ name }) => name)).size).toBe(sources.length);
  });
});
