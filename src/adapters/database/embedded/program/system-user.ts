import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { StartupError } from '../../../../kernel/startup-error.js';

const runProgram = promisify(execFile);
const USER_NAME = 'postgres';

/** Ways to make a system user: shadow-utils, then busybox. */
const CREATE_USER_COMMANDS: readonly (readonly [string, readonly string[]])[] = [
  ['useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', USER_NAME]],
  ['adduser', ['-S', '-D', '-H', USER_NAME]],
];

export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

/** The user PostgreSQL runs as when we are root, which it refuses to be; made when missing. @throws StartupError */
export async function findOrCreateSystemUser(): Promise<SystemUser> {
  const found = await findSystemUser();
  if (found) return found;
  for (const [program, args] of CREATE_USER_COMMANDS) {
    await runProgram(program, args).catch(() => undefined);
    const made = await findSystemUser();
    if (made) return made;
  }
  throw new StartupError(
    `PostgreSQL does not run as root, and a system user for it cannot be made: run "useradd --system ${USER_NAME}", start as an ordinary user, or set DATABASE_URL`,
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
