import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSettings } from '../../../ports/database.port.js';
import { dataFolder, passwordFile } from './cluster.js';
import { settingsOf } from './embedded-database.js';
import { findPostmaster } from './server/postmaster-file.js';

/** How to reach the PostgreSQL of a server that runs on this data folder; null when none does. For tools beside it. */
export async function runningSettings(dataDir: string): Promise<DatabaseSettings | null> {
  const folder = join(dataDir, 'postgres');
  const running = await findPostmaster(dataFolder(folder)).catch(() => null);
  if (!running?.ready) return null;
  return settingsOf(await readFile(passwordFile(folder), 'utf8'), running.port);
}
