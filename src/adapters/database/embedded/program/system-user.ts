import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { StartupError } from '../../../../kernel/startup-error.js';

const run = promisify(execFile);
const NAME = 'postgres';

/** Ways to make a system user: shadow-utils, then busybox. */
const CREATE: readonly (readonly [string, readonly string[]])[] = [
  ['useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', NAME]],
  ['adduser', ['-S', '-D', '-H', NAME]],
];

export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

/** The user PostgreSQL runs as when we are root, which it refuses to be; made when missing. @throws StartupError */
export async function systemUser(): Promise<SystemUser> {
  const found = await lookUp();
  if (found) return found;
  for (const [program, args] of CREATE) {
    await run(program, args).catch(() => undefined);
    const made = await lookUp();
    if (made) return made;
  }
  throw new StartupError(
    `PostgreSQL does not run as root, and a system user for it cannot be made: run "useradd --system ${NAME}", start as an ordinary user, or set DATABASE_URL`,
  );
}

async function lookUp(): Promise<SystemUser | null> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', NAME]), run('id', ['-g', NAME])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return null;
  }
}
