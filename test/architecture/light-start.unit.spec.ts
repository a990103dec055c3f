import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, it } from 'vitest';

const STATIC_IMPORT = /^import (?!type )(?:[^'"]*? from )?'([^']+)';/gms;

/** The packages that are loaded together with a source file, by its own imports and those of what it imports. */
function packagesOf(file: string, seen = new Set<string>()): Set<string> {
  const packages = new Set<string>();
  if (seen.has(file)) return packages;
  seen.add(file);
  for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(STATIC_IMPORT)) {
    const found = name.startsWith('.')
      ? packagesOf(normalize(join(dirname(file), name.replace(/\.js$/, '.ts'))), seen)
      : [name];
    for (const one of found) packages.add(one);
  }
  return packages;
}

it('a bad setting ends the start before the modules of the server are loaded', () => {
  const light = [...packagesOf('src/main.ts')].filter((name) => !name.startsWith('node:'));
  expect(light.toSorted()).toEqual(['ldapts', 'pino', 'proxy-addr', 'reflect-metadata', 'uuid', 'zod']);
  expect([...packagesOf('src/server/boot/start-server.ts')]).toContain('@nestjs/core');
});
