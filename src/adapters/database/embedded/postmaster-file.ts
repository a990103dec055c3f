import { execFile } from 'node:child_process';
import { readFile, readlink, realpath, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { errorCode } from '../../../kernel/errors.js';

/** The content of `postmaster.pid`, which PostgreSQL writes when it starts and removes when it stops. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  readonly ready: boolean;
}

const fileOf = (data: string): string => join(data, 'postmaster.pid');

/** The PostgreSQL that runs on this data folder; null if none does, even if a crash has left the file behind. */
export async function findPostmaster(data: string): Promise<Postmaster | null> {
  const found = await readPostmaster(data);
  if (!found) return null;
  if (isAlive(found.pid) && (await isPostgresOn(found.pid, data))) return found;
  // PostgreSQL would take any living process with this id for another server and refuse to start.
  await rm(fileOf(data), { force: true });
  return null;
}

/** Reads the file; null if it does not exist or is not complete yet. */
export async function readPostmaster(data: string): Promise<Postmaster | null> {
  const content = await readFile(fileOf(data), 'utf8').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return '';
    throw error;
  });
  const [pid, , , port, , , , status] = content.split('\n').map((line) => line.trim());
  if (!pid || !Number.isInteger(Number(pid))) return null;
  return { pid: Number(pid), port: Number(port ?? 0), ready: status === 'ready' };
}

/** True when a process with this id exists, no matter whose it is. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

/**
 * True when the process is a PostgreSQL on this folder. It must never miss one, by whatever path it names the folder: two
 * servers on one folder destroy it.
 */
async function isPostgresOn(pid: number, data: string): Promise<boolean> {
  const folder = await realpath(data);
  if (process.platform === 'linux') {
    const [program = '', ...args] = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    if (basename(program) !== 'postgres') return false;
    // In a container, not even root may read the working directory of another user's process.
    return args.includes(folder) || (await readlink(`/proc/${pid}/cwd`).catch(() => '')) === folder;
  }
  const { stdout } = await promisify(execFile)('ps', ['-o', 'args=', '-p', String(pid)]);
  return stdout.includes('postgres') && stdout.includes(folder);
}
