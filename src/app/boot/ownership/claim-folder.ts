import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StartupError } from '../../../kernel/startup-error.js';

const OWNER_FILE = 'server.id';

/**
 * A data folder is one server's, whose processes share it: another server would take the packages in it for leftovers.
 * @throws StartupError when it is another server's
 */
export async function claimDataFolder(dataDir: string, serverId: string): Promise<void> {
  const path = join(dataDir, OWNER_FILE);
  const owner = (await readOwner(path)) ?? (await writeOwner(path, serverId));
  if (owner === serverId) return;
  throw new StartupError(
    `The data folder ${dataDir} belongs to the server ${owner}, the database to the server ${serverId}. ` +
      'Set ODST_DATA_DIR and DATABASE_URL to what belongs together.',
  );
}

const readOwner = async (path: string): Promise<string | null> =>
  (await readFile(path, 'utf8').catch(() => '')).trim() || null;

async function writeOwner(path: string, serverId: string): Promise<string> {
  const file = await open(path, 'w');
  try {
    await file.writeFile(`${serverId}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  return serverId;
}
