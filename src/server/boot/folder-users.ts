import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { errorCode, StartupError } from '../../kernel/errors.js';
import type { KnownDatabase } from './data-folder.js';

const USERS_FOLDER = 'in-use';
const HEARTBEAT_INTERVAL_MS = 5_000;
/** A process that has not renewed its mark for this time has ended. */
const SILENT_AFTER_MS = 30_000;

const UserFields = z.object({ home: z.string(), place: z.string(), host: z.string(), pid: z.int() });
type User = z.infer<typeof UserFields>;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

/**
 * Marks a data folder as used by this process. All processes that share it must have the same database, and locks in two
 * databases would not see each other. Times are those of the volume, so that the clocks of machines need not agree.
 */
export class FolderUse {
  private readonly heartbeat: NodeJS.Timeout;

  private constructor(private readonly path: string) {
    this.heartbeat = setInterval(() => void this.renew(), HEARTBEAT_INTERVAL_MS);
    this.heartbeat.unref();
  }

  /**
   * The mark comes first, so that of two processes that begin at once each sees the other.
   * @throws StartupError when a process with another database uses the folder
   */
  static async begin(dataDir: string, { home, place }: KnownDatabase): Promise<FolderUse> {
    const folder = join(dataDir, USERS_FOLDER);
    await mkdir(folder, { recursive: true });
    const name = randomUUID();
    const path = join(folder, name);
    await writeFile(path, JSON.stringify({ home, place, host: hostname(), pid: process.pid } satisfies User));
    const { mtimeMs: now } = await stat(path);
    try {
      for (const other of await readdir(folder)) {
        if (other !== name) await refuseOther(join(folder, other), home, now, dataDir);
      }
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
    return new FolderUse(path);
  }

  async end(): Promise<void> {
    clearInterval(this.heartbeat);
    await rm(this.path, { force: true });
  }

  private async renew(): Promise<void> {
    // The volume may be away for a moment.
    await utimes(this.path, new Date(), new Date()).catch(() => undefined);
  }
}

async function refuseOther(path: string, home: string, now: number, dataDir: string): Promise<void> {
  const found = await stat(path).catch(() => null);
  const user = found && (await readUser(path));
  if (!found || !user) return;
  const hasEnded = now - found.mtimeMs > SILENT_AFTER_MS || (user.host === hostname() && !isAlive(user.pid));
  if (hasEnded) return rm(path, { force: true });
  if (user.home === home) return;
  throw new StartupError(
    `The data folder ${dataDir} is in use by a process with the database ${user.place} (process ${user.pid} on ` +
      `${user.host}). Stop it first, or set DATABASE_URL to that database.`,
  );
}

/** Null while the file is being written. */
async function readUser(path: string): Promise<User | null> {
  try {
    return UserFields.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return null;
  }
}
