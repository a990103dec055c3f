import { randomBytes } from 'node:crypto';
import {
  chmod,
  chown,
  link,
  lchown,
  mkdir,
  open,
  readFile,
  readdir,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { errorCode, messageOf, StartupError } from '../../../kernel/errors.js';
import type { Binaries } from './binaries.js';
import { chooseLauncher, type Launcher } from './launcher.js';
import { isAlive } from './postmaster-file.js';

export const SUPERUSER = 'odst';

/** A complete PostgreSQL data folder that belongs to us. */
export interface Cluster {
  /** The data folder (PGDATA). */
  readonly data: string;
  readonly logFile: string;
  readonly password: string;
  readonly binaries: Binaries;
  readonly launcher: Launcher;
}

export const dataFolder = (folder: string): string => join(folder, 'data');
export const passwordFile = (folder: string): string => join(folder, 'password');

/** Creates the cluster in a folder at the first start, and checks it at later starts. @throws StartupError */
export async function prepareCluster(
  path: string,
  binaries: Binaries,
  warn: (message: string) => void = () => undefined,
): Promise<Cluster> {
  await mkdir(path, { recursive: true }).catch((error: unknown) => notWritable(path, error));
  // The list of processes shows PostgreSQL with the real path.
  const folder = await realpath(path);
  const launcher = await chooseLauncher(binaries.postgres, folder);
  const data = dataFolder(folder);
  const exists = await stat(data).then(
    () => true,
    () => false,
  );
  const password = await readPassword(folder, exists);
  await repairMode(passwordFile(folder), 0o600, warn);
  const cluster = { data, logFile: join(folder, 'server.log'), password, binaries, launcher };
  if (!exists) await createData(cluster, folder);
  await checkOwner(cluster);
  await repairMode(data, 0o700, warn);
  await checkVersion(cluster);
  return cluster;
}

function notWritable(folder: string, error: unknown): never {
  throw new StartupError(
    `The data folder cannot be written (${errorCode(error) ?? messageOf(error)} at ${folder}): make it writable for this user or set ODST_DATA_DIR`,
    error,
  );
}

async function readPassword(folder: string, mustExist: boolean): Promise<string> {
  const file = passwordFile(folder);
  const known = await readFile(file, 'utf8').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT' && !mustExist) return null;
    throw new StartupError(
      `Cannot read ${file} (${errorCode(error)}): restore it, or start as the user who owns it`,
      error,
    );
  });
  return known ?? (await makePassword(folder, file));
}

/**
 * Writes a password into a draft and links it into place, so that two processes that start at once read the same one.
 */
async function makePassword(folder: string, file: string): Promise<string> {
  const draft = `${file}.${process.pid}`;
  try {
    await writeDurably(draft, randomBytes(24).toString('base64url'));
    await link(draft, file).catch((error: unknown) => {
      if (errorCode(error) !== 'EEXIST') throw error;
    });
    await syncFolder(folder);
    return await readFile(file, 'utf8');
  } catch (error) {
    return notWritable(folder, error);
  } finally {
    await rm(draft, { force: true });
  }
}

async function writeDurably(path: string, content: string): Promise<void> {
  const file = await open(path, 'w', 0o600);
  await file.writeFile(content);
  await file.sync();
  await file.close();
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync();
  await handle.close();
}

/**
 * Runs initdb in a draft folder and renames that when it is complete. If this is interrupted, the next start begins
 * anew.
 */
async function createData(cluster: Cluster, folder: string): Promise<void> {
  await sweepDrafts(folder);
  const draft = join(folder, `data.draft-${process.pid}`);
  const pwfile = join(folder, `data.draft-${process.pid}.password`);
  await mkdir(draft, { mode: 0o700 });
  await writeFile(pwfile, cluster.password, { mode: 0o600 });
  const { user } = cluster.launcher;
  if (user) await Promise.all([draft, pwfile].map((path) => chown(path, user.uid, user.gid)));
  try {
    await runInitdb(cluster, draft, pwfile);
    await rename(draft, cluster.data).catch((error: unknown) => {
      if (errorCode(error) !== 'ENOTEMPTY' && errorCode(error) !== 'EEXIST') throw error;
    });
    await syncFolder(folder);
  } finally {
    await Promise.all([draft, pwfile].map((path) => rm(path, { recursive: true, force: true })));
  }
}

async function sweepDrafts(folder: string): Promise<void> {
  const drafts = (await readdir(folder)).filter((name) => name.startsWith('data.draft-'));
  // A draft with our own process id is left from an earlier process, before a restart of the machine.
  const pidOf = (name: string): number => Number.parseInt(name.slice('data.draft-'.length), 10);
  const dead = drafts.filter((name) => pidOf(name) === process.pid || !isAlive(pidOf(name)));
  await Promise.all(dead.map((name) => rm(join(folder, name), { recursive: true, force: true })));
}

async function runInitdb({ binaries, launcher }: Cluster, draft: string, pwfile: string): Promise<void> {
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const access = [`--username=${SUPERUSER}`, '--auth=scram-sha-256', `--pwfile=${pwfile}`];
  const child = launcher.launch(binaries.initdb, ['-D', draft, ...locale, ...access], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [said, [code]] = await Promise.all([child.stderr ? text(child.stderr) : '', once(child, 'exit')]);
  if (code === 0) return;
  const reason = said.split('\n').find((line) => /error|fatal/i.test(line)) ?? said.trim();
  throw new StartupError(`PostgreSQL cannot make its data folder: ${reason}`);
}

async function checkVersion({ data, binaries }: Cluster): Promise<void> {
  const version = (await readFile(join(data, 'PG_VERSION'), 'utf8').catch(() => 'an unknown version')).trim();
  if (version === binaries.major) return;
  throw new StartupError(
    `${data} was written by PostgreSQL ${version}, this program brings ${binaries.major}: start with the earlier program, or convert it with pg_upgrade`,
  );
}

/**
 * The folder may be a copy or belong to another user. As root, this corrects the owner.
 * @throws StartupError otherwise
 */
async function checkOwner({ data, launcher }: Cluster): Promise<void> {
  const { uid } = await stat(data);
  const wanted = launcher.user?.uid ?? process.getuid?.();
  if (wanted === undefined || uid === wanted) return;
  if (!launcher.user)
    throw new StartupError(`${data} belongs to another user (uid ${uid}): start as that user, or change its owner`);
  await chownTree(data, launcher.user.uid, launcher.user.gid);
  await chmod(data, 0o700);
}

/**
 * Takes away rights of others, which a restore, a copy or a volume of Kubernetes may have given. With them, PostgreSQL does
 * not start. @throws StartupError when this user may not change them
 */
async function repairMode(path: string, mode: number, warn: (message: string) => void): Promise<void> {
  const found = (await stat(path)).mode & 0o777;
  if ((found & 0o077) === 0) return;
  const [was, wanted] = [found, mode].map((bits) => `0${bits.toString(8)}`);
  await chmod(path, mode).catch((error: unknown) => {
    throw new StartupError(
      `${path} has the mode ${was}, so that others may use it, and it cannot be changed (${errorCode(error)}): run "chmod ${wanted} ${path}"`,
      error,
    );
  });
  warn(`${path} had the mode ${was}, so that others could use it. It has ${wanted} now`);
}

async function chownTree(path: string, uid: number, gid: number): Promise<void> {
  const entries = await readdir(path, { recursive: true });
  for (const entry of entries) await lchown(join(path, entry), uid, gid);
  // The folder itself comes last: its owner shows that the work is complete.
  await lchown(path, uid, gid);
}
