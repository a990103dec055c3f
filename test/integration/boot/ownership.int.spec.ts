import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimDataFolder } from '../../../src/server/boot/data-folder.js';
import { bindLog, checkBinding } from '../../../src/server/boot/ownership.js';
import { PostgresEventStore } from '../../../src/adapters/event-store/postgres/postgres-event-store.js';
import type { EventStore } from '../../../src/ports/event-store.port.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';

const OURS = '0195bb2c-0000-7000-8000-000000000001';
const THEIRS = '0195bb2c-0000-7000-8000-000000000002';

let database: TestDatabase;
let elsewhere: TestDatabase;
let log: PostgresEventStore;
let otherLog: PostgresEventStore;

beforeEach(async () => {
  [database, elsewhere] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  log = new PostgresEventStore(database.settings);
  otherLog = new PostgresEventStore(elsewhere.settings);
});
afterEach(async () => {
  await Promise.all([log.close(), otherLog.close()]);
  await Promise.all([database.drop(), elsewhere.drop()]);
});

/** The event with which a server's log begins. */
async function begin(store: EventStore, serverId: string): Promise<void> {
  const actor = { kind: 'system', id: 'server', name: 'server' } as const;
  const metadata = { schemaVersion: 1, serverId, actor, address: null, correlationId: OURS, causationId: null };
  const data = { serverId, publicKey: 'key', name: 'server', url: 'http://server', stage: 'Prod' };
  await store.append('server', [{ id: crypto.randomUUID(), type: 'ServerInitialised', data, metadata }], 'none');
}

async function query(sql: string): Promise<unknown[]> {
  const client = new Client(database.settings);
  await client.connect();
  try {
    return (await client.query<object>(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('a database and an event log', () => {
  it('that have always been together go on together', async () => {
    expect(await checkBinding(database.settings, log)).toBe(false);
    await begin(log, OURS);
    await bindLog(database.settings, log, OURS);
    expect(await checkBinding(database.settings, log)).toBe(false);
  });

  it('of different servers are refused in one line that names both', async () => {
    await begin(log, OURS);
    await bindLog(database.settings, log, OURS);
    await begin(otherLog, THEIRS);
    const refused = checkBinding(database.settings, otherLog);
    await expect(refused).rejects.toMatchObject({
      name: 'StartupError',
      message: expect.stringMatching(new RegExp(`^[^\\n]*${THEIRS}[^\\n]*${OURS}[^\\n]*$`)),
    });
  });

  it('whose history is missing are refused, with what to do', async () => {
    await begin(log, OURS);
    await bindLog(database.settings, log, OURS);
    await expect(checkBinding(database.settings, otherLog)).rejects.toThrow('npm run events:copy');
  });

  it('that is an old copy of what it was are refused', async () => {
    await begin(log, OURS);
    await bindLog(database.settings, log, OURS);
    await query(`INSERT INTO read.audit_entries VALUES (1, '${THEIRS}', 'PackageRemoved', '2026-11-24T20:00:00Z', 'account', 'a', 'admin',
      NULL, '${OURS}', 'c', NULL, 'package', 'p', NULL, 'Removed', '{}')`);
    await begin(otherLog, OURS);
    await expect(checkBinding(database.settings, otherLog)).rejects.toThrow(
      `is an old copy: the last events of the server ${OURS}, of 2026-11-24T20:00:00.000Z`,
    );
  });

  it('that was copied to another place: what was derived from the old one is dropped, once', async () => {
    await begin(log, OURS);
    await bindLog(database.settings, log, OURS);
    await query("INSERT INTO read.checkpoints (projection, version, cursor) VALUES ('packages', 1, '17')");
    await query("INSERT INTO state.subscription_cursors (name, cursor) VALUES ('replication', '17')");
    await query(`INSERT INTO state.feed_cursors (peer_id, stage, cursor) VALUES ('${THEIRS}', 'Prod', 'theirs.5')`);
    await begin(otherLog, OURS);
    expect(await checkBinding(database.settings, otherLog)).toBe(true);
    expect(await query('SELECT * FROM read.checkpoints')).toEqual([]);
    expect(await query('SELECT * FROM state.subscription_cursors')).toEqual([]);
    // How far the peers' own logs were read is as true as before.
    expect(await query('SELECT cursor FROM state.feed_cursors')).toEqual([{ cursor: 'theirs.5' }]);
    expect(await checkBinding(database.settings, otherLog)).toBe(false);
  });
});

describe('a data folder', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'odst-claim-'))));
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is the one server’s that claimed it first, and all its processes’', async () => {
    await claimDataFolder(folder, OURS);
    await claimDataFolder(folder, OURS);
    await expect(claimDataFolder(folder, THEIRS)).rejects.toThrow(
      new RegExp(`belongs to the server ${OURS}, but the database belongs to the server ${THEIRS}`),
    );
  });

  it('whose mark was cut off by a crash is claimed again', async () => {
    await writeFile(join(folder, 'server.id'), '');
    await claimDataFolder(folder, OURS);
    await expect(claimDataFolder(folder, THEIRS)).rejects.toThrow(OURS);
  });
});
