import { type ChildProcess, execFile, spawn, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { chown, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { StartupError } from '../../../kernel/errors.js';

const runProgram = promisify(execFile);
const USER_NAME = 'postgres';

/** The commands that make a system user: of shadow-utils, then of busybox. */
const CREATE_USER_COMMANDS: readonly (readonly [string, readonly string[]])[] = [
  ['useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', USER_NAME]],
  ['adduser', ['-S', '-D', '-H', USER_NAME]],
];

interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * The user that PostgreSQL runs as when this process is root, as which it refuses to run. A missing user is created.
 * @throws StartupError when the user cannot be created
 */
async function findOrCreateSystemUser(): Promise<SystemUser> {
  const found = await findSystemUser();
  if (found) return found;
  for (const [program, args] of CREATE_USER_COMMANDS) {
    await runProgram(program, args).catch(() => undefined);
    const made = await findSystemUser();
    if (made) return made;
  }
  throw new StartupError(
    `PostgreSQL does not run as root, and a system user for it cannot be created: run "useradd --system ${USER_NAME}", start as an ordinary user, or set DATABASE_URL`,
  );
}

async function findSystemUser(): Promise<SystemUser | null> {
  try {
    const [uid, gid] = await Promise.all([runProgram('id', ['-u', USER_NAME]), runProgram('id', ['-g', USER_NAME])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return null;
  }
}

/** Starts programs as the user who owns the cluster. */
export interface Launcher {
  /** Null when programs run as the user of this process. */
  readonly user: SystemUser | null;
  launch(program: string, args: readonly string[], options: SpawnOptions): ChildProcess;
}

/** Programs get none of our own variables: PGDATA, PGPORT and others would change what PostgreSQL does. */
const ENV = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

const asOurselves: Launcher = {
  user: null,
  launch: (program, args, options) => spawn(program, args, { ...options, env: ENV, cwd: '/' }),
};

const asUser = (user: SystemUser): Launcher => ({
  user,
  launch: (program, args, options) => spawn(program, args, { ...options, ...user, env: ENV, cwd: '/' }),
});

/**
 * Starts programs as the user with a capability to enter folders that only root may enter (a data folder or a program
 * in /root). With `no_setuid_fixup`, access(2), by which PostgreSQL checks its own files, takes the capability into
 * account.
 */
const asUserWith = (user: SystemUser, capability: string): Launcher => ({
  user,
  launch: (program, args, options) => {
    const caps = `-all,+${capability}`;
    const drop = [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', `--inh-caps=${caps}`];
    const keep = [`--ambient-caps=${caps}`, '--securebits=+no_setuid_fixup'];
    return spawn('setpriv', [...drop, ...keep, program, ...args], { ...options, env: ENV, cwd: '/' });
  },
});

/** The first launcher that can run `program` and enter `folder`. @throws StartupError when none can */
export async function chooseLauncher(program: string, folder: string): Promise<Launcher> {
  if (process.getuid?.() !== 0) return asOurselves;
  const user = await findOrCreateSystemUser();
  for (const path of [dirname(folder), folder]) await letGroupEnter(path, user);
  const ways = [asUser(user), asUserWith(user, 'dac_read_search'), asUserWith(user, 'dac_override')];
  for (const way of ways) {
    if (await canReach(way, program, folder)) return way;
  }
  const blocked = (await findClosedFolder(folder)) ?? (await findClosedFolder(program)) ?? folder;
  throw new StartupError(
    `PostgreSQL runs as the user "postgres", which may not enter ${blocked}: run "chmod o+x ${blocked}" (for the data folder itself: "chgrp ${USER_NAME} ${blocked}"), choose another ODST_DATA_DIR, or install setpriv (util-linux)`,
  );
}

/**
 * The data folder is closed to others. The user of PostgreSQL enters it by its group, unless it already has a group of its
 * own, such as the one of nginx, or is closed to its group.
 */
async function letGroupEnter(path: string, { gid }: SystemUser): Promise<void> {
  const entry = await stat(path);
  if (entry.uid === 0 && entry.gid === 0 && (entry.mode & 0o011) === 0o010) await chown(path, entry.uid, gid);
}

async function canReach(launcher: Launcher, program: string, folder: string): Promise<boolean> {
  const child = launcher.launch('/bin/sh', ['-c', 'cd -- "$1" && exec "$2" --version', 'sh', folder, program], {
    stdio: 'ignore',
  });
  try {
    const [code]: unknown[] = await once(child, 'exit');
    return code === 0;
  } catch {
    return false;
  }
}

async function findClosedFolder(path: string): Promise<string | null> {
  const parent = dirname(path);
  const above = parent === path ? null : await findClosedFolder(parent);
  if (above) return above;
  const entry = await stat(path);
  return entry.isDirectory() && (entry.mode & 0o001) === 0 ? path : null;
}
