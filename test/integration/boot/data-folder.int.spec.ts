import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  claimDataFolder,
  describeDatabase,
  refuseLostDatabase,
  refuseOtherDatabase,
  rememberDatabase,
} from '../../../src/server/boot/data-folder.js';
import { FolderUse } from '../../../src/server/boot/folder-users.js';
import type { Settings } from '../../../src/platform/runtime/settings.js';
import type { DatabaseSettings } from '../../../src/ports/database.port.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';

const OURS = '0195bb2c-0000-7000-8000-000000000001';
const THEIRS = '0195bb2c-0000-7000-8000-000000000002';
const PACKAGE = '6007181c-6fee-5bed-a677-645c64d87098';

let folder: string;
let databases: readonly [TestDatabase, TestDatabase];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'odst-folder-'));
  databases = [await createTestDatabase(), await createTestDatabase()];
});
afterEach(async () => {
  await Promise.all(databases.map((database) => database.drop()));
  await rm(folder, { recursive: true, force: true });
});

const settingsWith = (databaseUrl: string | null) => ({ dataDir: folder, databaseUrl }) as Settings;

async function bind({ settings }: { settings: DatabaseSettings }, serverId: string): Promise<void> {
  const client = new Client(settings);
  await client.connect();
  await client.query('INSERT INTO state.log_binding (epoch, server_id) VALUES ($1, $2)', ['epoch', serverId]);
  await client.end();
}

async function storePackage(mark: string | null = null): Promise<void> {
  await mkdir(join(folder, 'packages'), { recursive: true });
  await writeFile(join(folder, 'packages', PACKAGE), 'bytes');
  if (mark !== null) await writeFile(join(folder, 'packages', '.server-id'), `${mark}\n`);
}

const compare = (which: 0 | 1 = 0) => refuseOtherDatabase(settingsWith('postgres://x'), databases[which].settings);

describe('the embedded database', () => {
  it.each([
    ['the id of its server', () => writeFile(join(folder, 'server.id'), OURS)],
    ['packages', () => storePackage()],
    ['marked packages', () => storePackage(OURS)],
  ])('is not made beside a folder that holds %s', async (_what, prepare) => {
    await prepare();
    await expect(refuseLostDatabase(settingsWith(null))).rejects.toThrow(
      /its database is not in it\. Set DATABASE_URL/,
    );
    expect(await readdir(folder)).not.toContain('postgres');
  });

  it('is made in a new folder, and in one that other programs have used', async () => {
    await refuseLostDatabase(settingsWith(null));
    await mkdir(join(folder, 'packages', 'lost+found'), { recursive: true });
    await refuseLostDatabase(settingsWith(null));
    await refuseLostDatabase({ dataDir: join(folder, 'not', 'there'), databaseUrl: null } as Settings);
  });

  it('is not started any more when the server has moved away from it', async () => {
    await mkdir(join(folder, 'postgres', 'data'), { recursive: true });
    await rememberDatabase(folder, { home: '1/1', place: 'the embedded one', isEmbedded: true, since: 'a' });
    await refuseLostDatabase(settingsWith(null));
    await rememberDatabase(folder, { home: '2/2', place: 'odst at db:5432', isEmbedded: false, since: 'b' });
    await expect(refuseLostDatabase(settingsWith(null))).rejects.toThrow(/has moved to the database odst at db:5432/);
    await rememberDatabase(folder, { home: '1/1', place: 'the embedded one', isEmbedded: true, since: 'c' });
    await refuseLostDatabase(settingsWith(null));
  });
});

describe('a database of its own', () => {
  it.each([
    ['the id of a server', () => writeFile(join(folder, 'server.id'), OURS)],
    ['packages of an unknown server', () => storePackage()],
  ])('that no server has used is refused beside %s', async (_what, prepare) => {
    await prepare();
    await expect(compare()).rejects.toThrow(/No server has used the database/);
  });

  it('of another server is refused, by the id in the folder and by the mark of the packages', async () => {
    await bind(databases[0], OURS);
    await storePackage(THEIRS);
    await expect(compare()).rejects.toThrow(`belongs to the server ${THEIRS}`);
    await claimDataFolder(folder, OURS);
    expect(await compare()).toMatchObject({ isEmbedded: false });
  });

  it('is refused beside packages of an unknown server, and the message says what to do', async () => {
    await bind(databases[0], OURS);
    await storePackage();
    await expect(compare()).rejects.toThrow(`echo ${OURS} > ${join(folder, 'server.id')}`);
    await writeFile(join(folder, 'server.id'), `${OURS}\n`);
    await compare();
  });

  it('that was left for another one is refused, also when its tables are the same', async () => {
    await Promise.all(databases.map((database) => bind(database, OURS)));
    await rememberDatabase(folder, await compare(0));
    await rememberDatabase(folder, await compare(0));
    await rememberDatabase(folder, await compare(1));
    await compare(1);
    await expect(compare(0)).rejects.toThrow(/has moved to the database/);
    const text = await readFile(join(folder, 'database.json'), 'utf8');
    expect(text).not.toContain(databases[0].settings.password);
    // Copied back.
    await rememberDatabase(folder, await describeDatabase(databases[0].settings, folder));
    await compare(0);
    await expect(compare(1)).rejects.toThrow(/has moved to the database/);
  });
});

describe('a data folder in use', () => {
  const known = (home: string) => ({ home, place: `odst at ${home}`, isEmbedded: false, since: 'now' });

  it('is shared by the processes of one database and refused to those of another', async () => {
    const uses = [await FolderUse.begin(folder, known('a')), await FolderUse.begin(folder, known('a'))];
    await expect(FolderUse.begin(folder, known('b'))).rejects.toThrow(
      /in use by a process with the database odst at a/,
    );
    await uses[0]?.end();
    await expect(FolderUse.begin(folder, known('b'))).rejects.toThrow(/in use/);
    await uses[1]?.end();
    await (await FolderUse.begin(folder, known('b'))).end();
    expect(await readdir(join(folder, 'in-use'))).toEqual([]);
  });

  it.each([
    ['was killed on this machine', { pid: 2 ** 22 + 1 }, 0],
    ['is silent on another machine', { host: 'elsewhere' }, 60],
  ])('is free when its process %s', async (_what, fields, silentSeconds) => {
    const use = await FolderUse.begin(folder, known('a'));
    const [name] = await readdir(join(folder, 'in-use'));
    await use.end();
    const { hostname } = await import('node:os');
    const path = join(folder, 'in-use', name ?? '');
    const user = { home: 'a', place: 'a', host: hostname(), pid: process.pid, ...fields };
    await writeFile(path, JSON.stringify(user));
    const then = new Date(Date.now() - silentSeconds * 1000);
    await utimes(path, then, then);
    await (await FolderUse.begin(folder, known('b'))).end();
  });

  it('is not free when a process on another machine has just renewed its mark', async () => {
    await mkdir(join(folder, 'in-use'));
    const user = { home: 'a', place: 'odst at a', host: 'elsewhere', pid: 1 };
    await writeFile(join(folder, 'in-use', 'x'), JSON.stringify(user));
    await expect(FolderUse.begin(folder, known('b'))).rejects.toThrow(/process 1 on elsewhere/);
  });
});
