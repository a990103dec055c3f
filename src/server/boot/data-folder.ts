import { mkdir, open, readdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from 'pg';
import { z } from 'zod';
import { dataFolder } from '../../adapters/database/embedded/cluster.js';
import { isPackageName } from '../../adapters/package-storage/folder/folders.js';
import { readMark } from '../../adapters/package-storage/folder/packages-mark.js';
import { errorCode, StartupError } from '../../kernel/errors.js';
import type { Settings } from '../../platform/runtime/settings.js';
import type { DatabaseSettings } from '../../ports/database.port.js';
import { withBootClient } from './data-source.js';

const OWNER_FILE = 'server.id';
const DATABASE_FILE = 'database.json';

/** A database as a data folder remembers it. `home` tells databases apart, and `place` is for people. No secrets. */
export interface KnownDatabase {
  readonly home: string;
  readonly place: string;
  readonly isEmbedded: boolean;
  /** ISO 8601. */
  readonly since: string;
}

const DatabaseFields = z.object({ home: z.string(), place: z.string(), isEmbedded: z.boolean(), since: z.string() });
const DatabaseMark = z.object({ current: DatabaseFields, former: z.array(DatabaseFields) });
type DatabaseMark = z.infer<typeof DatabaseMark>;

/** What a data folder tells about its server before anything is changed. */
interface FoundFolder {
  /** Of the server that it belongs to; null when nothing in it says so. */
  readonly serverId: string | null;
  readonly hasPackages: boolean;
  readonly hasEmbedded: boolean;
  readonly mark: DatabaseMark | null;
}

const unlessMissing = (error: unknown): null => {
  if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return null;
  throw error;
};

async function readFolder(dataDir: string): Promise<FoundFolder> {
  const packages = join(dataDir, 'packages');
  const names = (await readdir(packages).catch(unlessMissing)) ?? [];
  const embedded = await stat(dataFolder(join(dataDir, 'postgres'))).catch(unlessMissing);
  return {
    serverId: (await readOwner(dataDir)) ?? ((await readMark(packages).catch(unlessMissing)) || null),
    hasPackages: names.some((name) => isPackageName(name)),
    hasEmbedded: embedded !== null,
    mark: await readDatabaseMark(dataDir),
  };
}

async function readOwner(dataDir: string): Promise<string | null> {
  const text = await readFile(join(dataDir, OWNER_FILE), 'utf8').catch(unlessMissing);
  return text?.trim() || null;
}

async function readDatabaseMark(dataDir: string): Promise<DatabaseMark | null> {
  const path = join(dataDir, DATABASE_FILE);
  const text = await readFile(path, 'utf8').catch(unlessMissing);
  if (text === null) return null;
  try {
    return DatabaseMark.parse(JSON.parse(text));
  } catch (error) {
    throw new StartupError(`${path} cannot be read. Restore it, or remove it if this is the right database.`, error);
  }
}

/**
 * Refuses a data folder whose database is certainly not the embedded one, before that is created or started.
 * @throws StartupError
 */
export async function refuseLostDatabase({ dataDir, databaseUrl }: Settings): Promise<void> {
  if (databaseUrl !== null) return;
  const { serverId, hasPackages, hasEmbedded, mark } = await readFolder(dataDir);
  if (mark && !mark.current.isEmbedded) throw movedAway(dataDir, mark.current);
  if (hasEmbedded || (serverId === null && !hasPackages)) return;
  throw new StartupError(
    `The data folder ${dataDir} belongs to ${serverId === null ? 'a server' : `the server ${serverId}`}, but its database ` +
      'is not in it. Set DATABASE_URL to the database of that server, or restore the folder "postgres" of a backup.',
  );
}

/**
 * Compares the data folder with the database, before the first change to the database.
 * @throws StartupError when they do not belong together
 */
export async function refuseOtherDatabase({ dataDir }: Settings, settings: DatabaseSettings): Promise<KnownDatabase> {
  const { serverId, hasPackages, hasEmbedded, mark } = await readFolder(dataDir);
  const { owner, ...database } = await describeDatabase(settings, dataDir);
  if (mark && mark.current.home !== database.home && mark.former.some(({ home }) => home === database.home))
    throw movedAway(dataDir, mark.current);
  if (owner === null && (serverId !== null || hasPackages)) throw emptyDatabase(dataDir, serverId, database);
  if (owner !== null && serverId !== null && owner !== serverId) throw foreignFolder(dataDir, serverId, owner);
  // The embedded database is in the folder itself, and so says whose the folder is.
  if (serverId === null && hasPackages && !(hasEmbedded && database.isEmbedded)) throw unknownFolder(dataDir, owner);
  return database;
}

/** Finds out which database this is and whose. The owner is null when no server has used it. Changes nothing. */
export function describeDatabase(
  settings: DatabaseSettings,
  dataDir: string,
): Promise<KnownDatabase & { readonly owner: string | null }> {
  return withBootClient(settings, async (client) => {
    const [found] = (
      await client.query<{ home: string; binding: string | null }>(
        `SELECT c.system_identifier || '/' || d.oid AS home, to_regclass('state.log_binding')::text AS binding
         FROM pg_control_system() c, pg_database d WHERE d.datname = current_database()`,
      )
    ).rows;
    if (!found) throw new Error('The database does not tell which one it is');
    const bound = found.binding === null ? [] : (await client.query<{ id: string }>(SELECT_OWNER)).rows;
    const isEmbedded = await isInFolder(client, dataDir);
    const place = isEmbedded
      ? `the embedded PostgreSQL in ${dataDir}`
      : `${settings.database} at ${settings.host}:${settings.port}`;
    return { home: found.home, place, isEmbedded, since: new Date().toISOString(), owner: bound[0]?.id ?? null };
  });
}

const SELECT_OWNER = 'SELECT server_id AS id FROM state.log_binding';

/** The name of the server that has used the database, as its read model or its first event has it. For tools. */
export function readServerName(settings: DatabaseSettings): Promise<string> {
  return withBootClient(settings, async (client) => {
    const { rows } = await client.query<{ name: string }>('SELECT name FROM read.server_settings LIMIT 1');
    return rows[0]?.name ?? 'without a name';
  });
}

/** A database of somebody else does not tell where its files are, and then it is not ours. */
async function isInFolder(client: Client, dataDir: string): Promise<boolean> {
  const ours = await stat(dataFolder(join(dataDir, 'postgres'))).catch(unlessMissing);
  if (!ours) return false;
  const { rows } = await client
    .query<{ folder: string }>(`SELECT current_setting('data_directory') AS folder`)
    .catch(() => ({ rows: [] }));
  const folder = rows[0] ? await stat(rows[0].folder).catch(() => null) : null;
  return folder?.ino === ours.ino && folder.dev === ours.dev;
}

/** Remembers in the folder which database is in use. The one before becomes a former one, which is refused from then on. */
export async function rememberDatabase(dataDir: string, database: KnownDatabase): Promise<void> {
  const mark = await readDatabaseMark(dataDir);
  if (mark?.current.home === database.home && mark.current.place === database.place) return;
  const { home, place, isEmbedded, since } = database;
  const others = [...(mark?.former ?? []), ...(mark ? [mark.current] : [])].filter((one) => one.home !== home);
  const next: DatabaseMark = { current: { home, place, isEmbedded, since }, former: others };
  await writeDurably(dataDir, DATABASE_FILE, `${JSON.stringify(next, null, 2)}\n`);
}

/**
 * A data folder belongs to one server, whose processes share it.
 * @throws StartupError when it belongs to another server
 */
export async function claimDataFolder(dataDir: string, serverId: string): Promise<void> {
  const owner = await readOwner(dataDir);
  if (owner === null) return writeDurably(dataDir, OWNER_FILE, `${serverId}\n`);
  if (owner !== serverId) throw foreignFolder(dataDir, owner, serverId);
}

/** Writes a file of the folder so that after a crash it has its old content or the whole new one. */
async function writeDurably(dataDir: string, name: string, content: string): Promise<void> {
  await mkdir(dataDir, { recursive: true });
  const draft = join(dataDir, `${name}.${process.pid}.new`);
  const file = await open(draft, 'w');
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, join(dataDir, name));
  const folder = await open(dataDir, 'r');
  await folder.sync().finally(() => folder.close());
}

const movedAway = (dataDir: string, { place, since }: KnownDatabase): StartupError =>
  new StartupError(
    `The server of the data folder ${dataDir} has moved to the database ${place} (${since}), and this is an earlier one. ` +
      'Set DATABASE_URL to that database. To stay with the earlier one, copy the log back with "npm run events:copy", or ' +
      `remove ${join(dataDir, DATABASE_FILE)} if nothing has used the other one.`,
  );

const emptyDatabase = (dataDir: string, serverId: string | null, { place }: KnownDatabase): StartupError =>
  new StartupError(
    `No server has used the database ${place}, but the data folder ${dataDir} holds the files of ` +
      `${serverId === null ? 'a server' : `the server ${serverId}`}. Set DATABASE_URL to the database of that server, or ` +
      'restore it from a backup. For a new server, set ODST_DATA_DIR to an empty folder.',
  );

const foreignFolder = (dataDir: string, owner: string, serverId: string): StartupError =>
  new StartupError(
    `The data folder ${dataDir} belongs to the server ${owner}, but the database belongs to the server ${serverId}. ` +
      'Set ODST_DATA_DIR and DATABASE_URL to the folder and the database of the same server.',
  );

const unknownFolder = (dataDir: string, owner: string | null): StartupError =>
  new StartupError(
    `The data folder ${dataDir} holds packages, but nothing in it says of which server: the file ${OWNER_FILE} is missing. ` +
      `Restore it from the backup. If the packages belong to the server of this database, write its id into that file: ` +
      `echo ${owner ?? '<id>'} > ${join(dataDir, OWNER_FILE)}`,
  );
