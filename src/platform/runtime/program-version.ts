import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';

const PROGRAM_NAME = 'open-distribution-server';
const Manifest = z.object({ name: z.string(), version: z.string() });

/** The version in the nearest `package.json` of this program above a folder; `unknown` when there is none. */
function findVersion(folder: URL): string {
  const file = new URL('package.json', folder);
  const manifest = existsSync(file) ? Manifest.safeParse(JSON.parse(readFileSync(file, 'utf8'))) : null;
  if (manifest?.data?.name === PROGRAM_NAME) return manifest.data.version;
  const parent = new URL('../', folder);
  return parent.href === folder.href ? 'unknown' : findVersion(parent);
}

/** The version of this program. */
export const PROGRAM_VERSION = findVersion(new URL('./', import.meta.url));
