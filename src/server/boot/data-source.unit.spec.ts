import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { loadMigrations } from './data-source.js';

it('loads each migration of the folder, in the order of the times in their names', async () => {
  const names = (await loadMigrations()).map(({ name }) => name);
  const files = readdirSync('migrations').filter((file) => file.endsWith('.ts'));
  expect(names).toHaveLength(files.length);
  const times = names.map((name) => name.slice(-13));
  expect(times).toEqual(files.map((file) => file.slice(0, 13)).toSorted());
  expect(times).toEqual(times.toSorted());
});
