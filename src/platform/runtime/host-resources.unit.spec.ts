import { closeSync, existsSync, openSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { describeFullDatabase, findFullDisk, noteDatabaseFolder, readOpenFileLimit } from './host-resources.js';

it.skipIf(!existsSync('/proc/self/limits'))('reads the limit on open files of this process', async () => {
  const shown = spawnSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).stdout.trim();
  expect(await readOpenFileLimit()).toBe(shown === 'unlimited' ? null : Number(shown));
  closeSync(openSync('/dev/null', 'r'));
});

it('finds no full disk where there is room, and none where there is no folder', async () => {
  expect(await findFullDisk('/')).toBeNull();
  expect(await findFullDisk('/nowhere/at/all')).toBeNull();
});

it('says how much a full database needs and has, when its disk is known', () => {
  expect(describeFullDatabase()).toBe('The disk of the database is full.');
  noteDatabaseFolder('/');
  expect(describeFullDatabase()).toMatch(
    /^The disk of the database is full: \d+ bytes are needed and \d+ bytes are free in \/\.$/,
  );
  noteDatabaseFolder('/nowhere');
  expect(describeFullDatabase()).toBe('The disk of the database in /nowhere is full.');
});
