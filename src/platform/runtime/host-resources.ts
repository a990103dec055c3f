import { statfsSync } from 'node:fs';
import { readdir, readFile, statfs } from 'node:fs/promises';
import { errorCode } from '../../kernel/errors.js';

/** Below this number of files and connections, a start warns: each download and each connection needs one. */
export const MIN_OPEN_FILES = 4_096;
/** So many are left when a process counts as out of files. The databases need some. */
const SPARE_FILES = 16;
/** PostgreSQL makes files of 16 MiB for its log, the next one in advance. */
const NEEDED_DISK_BYTES = 32 * 1024 * 1024;

/** The number of files and connections that this process may have open; null when it is not limited or not known. */
export async function readOpenFileLimit(): Promise<number | null> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? null : Number(soft);
}

/** Files for the databases, the threads, the packages that are being read or written, and connections that are being refused. */
const RESERVED_FILES = 128;
const RESERVED_SHARE = 0.25;
const MIN_CONNECTIONS = 16;

/** The number of connections that may be open while the process can still open the files that it needs. */
export async function findMaxConnections(): Promise<number> {
  const limit = await readOpenFileLimit();
  if (limit === null) return Number.POSITIVE_INFINITY;
  return Math.max(MIN_CONNECTIONS, limit - Math.max(RESERVED_FILES, Math.ceil(limit * RESERVED_SHARE)));
}

/** Says that this process has hardly any file left to open; null when it has, or when that is not known. */
export async function findFileShortage(): Promise<string | null> {
  try {
    const limit = await readOpenFileLimit();
    if (limit === null) return null;
    const open = (await readdir('/proc/self/fd')).length;
    return open + SPARE_FILES < limit ? null : outOfFiles(`${open} of ${limit} are in use`);
  } catch (error) {
    const code = errorCode(error);
    return code === 'EMFILE' || code === 'ENFILE' ? outOfFiles(code) : null;
  }
}

const outOfFiles = (how: string): string =>
  `The process has too many files and connections open (${how}). Raise its limit (LimitNOFILE, ulimit -n).`;

/** Says that the disk of the embedded database is full; null when it is not, or when that is not known. */
export async function findFullDisk(folder: string): Promise<string | null> {
  const found = await statfs(folder).catch(() => null);
  if (!found) return null;
  const free = found.bavail * found.bsize;
  return free >= NEEDED_DISK_BYTES ? null : describeFullDisk(free, folder);
}

const describeFullDisk = (free: number, folder: string): string =>
  `The disk of the database is full: ${NEEDED_DISK_BYTES} bytes are needed and ${free} bytes are free in ${folder}.`;

/** The folder of the database of this process, when that is the embedded one. */
let databaseFolder: string | null = null;

/** Notes where the embedded database is, so that a full disk can be described with its sizes. */
export function noteDatabaseFolder(folder: string): void {
  databaseFolder = folder;
}

/** Says that the disk of the database is full, with its sizes as far as they are known. */
export function describeFullDatabase(): string {
  if (databaseFolder === null) return 'The disk of the database is full.';
  try {
    const { bavail, bsize } = statfsSync(databaseFolder);
    return describeFullDisk(bavail * bsize, databaseFolder);
  } catch {
    return `The disk of the database in ${databaseFolder} is full.`;
  }
}
