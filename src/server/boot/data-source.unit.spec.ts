import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, expect, it } from 'vitest';
import { loadMigrations } from './data-source.js';

const folder = mkdtempSync(join(tmpdir(), 'odst-migrations-'));
const load = () => loadMigrations(pathToFileURL(`${folder}/`));

afterAll(() => rmSync(folder, { recursive: true }));

afterEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
});

it('loads each migration of the folder, in the order of the times in their names', async () => {
  const names = (await loadMigrations()).map(({ name }) => name);
  const files = readdirSync('migrations').filter((file) => file.endsWith('.ts'));
  expect(names).toHaveLength(files.length);
  const times = names.map((name) => name.slice(-13));
  expect(times).toEqual(files.map((file) => file.slice(0, 13)).toSorted());
  expect(times).toEqual(times.toSorted());
});

it('refuses a file whose name would hide it', async () => {
  writeFileSync(join(folder, 'greetings.js'), 'export class Greetings1764999999999 {}');
  await expect(load()).rejects.toThrow('The name of the migration greetings.js must be 13 digits');
});

it('refuses a file without a migration', async () => {
  writeFileSync(join(folder, '1764999999999-greetings.js'), 'export class Greetings {}');
  await expect(load()).rejects.toThrow('1764999999999-greetings.js exports no class');
});

it('leaves the source maps of compiled migrations alone', async () => {
  writeFileSync(join(folder, '1764999999998-greetings.js'), 'export class Greetings1764999999998 {}');
  writeFileSync(join(folder, '1764999999998-greetings.js.map'), '{}');
  expect((await load()).map(({ name }) => name)).toEqual(['Greetings1764999999998']);
});
