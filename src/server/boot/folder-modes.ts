import { chmod, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoggerService } from '@nestjs/common';
import { errorCode } from '../../kernel/errors.js';

/** The owner may do everything, its group may read, and nobody else may do anything. nginx can be in the group. */
const FOLDER_MODE = 0o750;
/** Keys and passwords are for the owner alone. */
const SECRET_MODE = 0o600;
/** What the modes above leave out, for everything that the process creates. */
const UMASK = 0o777 & ~FOLDER_MODE;
const PERMISSIONS = 0o777;

const FOLDERS = ['.', 'packages', 'staging', 'postgres'];
const SECRETS = ['secret.key', 'secret.key.next'];

/**
 * Creates the data folder, and takes the access of others away from it, its folders and its secrets, also when it was
 * created under a permissive umask or restored from a backup. Everything that is created afterwards follows. A mode that is
 * tighter stays. On Windows, folders inherit their rights.
 */
export async function secureDataFolder(dataDir: string, logger: LoggerService): Promise<void> {
  if (process.platform === 'win32') return;
  process.umask(process.umask(UMASK) | UMASK);
  // Who cannot create it says so when the database or the storage does.
  await mkdir(dataDir, { recursive: true, mode: FOLDER_MODE }).catch(() => undefined);
  for (const name of FOLDERS) await tighten(join(dataDir, name), FOLDER_MODE, logger);
  for (const name of SECRETS) await tighten(join(dataDir, name), SECRET_MODE, logger);
}

async function tighten(path: string, allowed: number, logger: LoggerService): Promise<void> {
  try {
    const { mode } = await stat(path);
    const excess = mode & PERMISSIONS & ~allowed;
    if (excess === 0) return;
    // The bits above the permissions, such as the one that hands the group down, stay.
    await chmod(path, mode & 0o7777 & ~excess);
    logger.log(`Took the access of others away from ${path}`, 'Storage');
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return;
    // The volumes of some platforms belong to another user, and their group is the one of the server.
    logger.warn(
      `Others may have access to ${path}, and this cannot be changed (${errorCode(error)}). Make the user of the server its owner, or set its mode to ${allowed.toString(8)}.`,
      'Storage',
    );
  }
}
