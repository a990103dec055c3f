import { closeSync, existsSync, openSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { findFullDisk, readOpenFileLimit } from './host-resources.js';

it.skipIf(!existsSync('/proc/self/limits'))('reads the limit on open files of this process', async () => {
  const shown = spawnSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).stdout.trim();
  expect(await readOpenFileLimit()).toBe(shown === 'unlimited' ? null : Number(shown));
  closeSync(openSync('/dev/null', 'r'));
});

it('finds no full disk where there is room, and none where there is no folder', async () => {
  expect(await findFullDisk('/')).toBeNull();
  expect(await findFullDisk('/nowhere/at/all')).toBeNull();
});
