import { Client } from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { copyLog, countAfter } from '../../../src/cli/copy/copy-log.js';
import { StartupError } from '../../../src/kernel/errors.js';
import type { RecordedEvent } from '../../../src/kernel/events.js';
import type { DatabaseSettings } from '../../../src/ports/database.port.js';
import { oneEvent } from '../../contract/events.js';
import { eventsCopyContract } from '../../contract/events-copy.contract.js';
import { copy, failure, runTool, urlOf } from '../../support/copy-tool.js';
import { writeSampleLog } from '../../support/sample-log.js';
import { dumpTables } from '../../support/table-dump.js';
import { createEmptyDatabase } from '../../support/test-database.js';
import { startPostgres, type PostgresCopyEnd } from './postgres-copy-end.js';

eventsCopyContract('postgres to postgres', startPostgres, startPostgres);

const signal = new AbortController().signal;

async function query(database: DatabaseSettings, sql: string, values: readonly unknown[] = []): Promise<void> {
  const client = new Client(database);
  await client.connect();
  try {
    await client.query(sql, [...values]);
  } finally {
    await client.end();
  }
}

async function schemas(database: DatabaseSettings): Promise<string[]> {
  const client = new Client(database);
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      "SELECT nspname AS name FROM pg_namespace WHERE nspname LIKE 'copy%'",
    );
    return rows.map(({ name }) => name);
  } finally {
    await client.end();
  }
}

describe('events:copy between two PostgreSQL', () => {
  const ends: { dispose(): Promise<void> }[] = [];
  const start = async (): Promise<PostgresCopyEnd> => {
    const end = await startPostgres();
    ends.push(end);
    return end;
  };
  const startEmpty = async (): Promise<DatabaseSettings> => {
    const database = await createEmptyDatabase();
    ends.push({ dispose: () => database.drop() });
    return database.settings;
  };
  afterEach(async () => {
    for (const end of ends.splice(0)) await end.dispose();
  });
  const keysOf = (database: DatabaseSettings, secret: string): Promise<void> =>
    query(database, "INSERT INTO state.server_secrets VALUES ('server-key', $1)", [Buffer.from(secret)]);

  it('brings an empty database up to date and moves keys, passwords, sessions and feed cursors', async () => {
    const [source, target] = [await start(), await startEmpty()];
    await writeSampleLog(source.store, 3);
    await keysOf(source.settings, 'a');
    await query(source.settings, "INSERT INTO state.passwords VALUES ('1', 'admin', 'hash'), ('2', 'ä€😀', 'hash')");
    await query(
      source.settings,
      "INSERT INTO state.sessions (token_hash, account_id, expires_at) VALUES ($1, '1', now())",
      [Buffer.from([0, 255])],
    );
    await query(source.settings, "INSERT INTO state.feed_cursors VALUES ('peer', 'Prod', 'epoch.7')");
    await query(source.settings, "INSERT INTO state.subscription_cursors VALUES ('reaction', '5')");
    expect(await copy(source.place, urlOf(target))).toMatchObject({ stateRows: 5 });
    await query(source.settings, "UPDATE state.feed_cursors SET cursor = 'epoch.8'");
    await query(source.settings, "DELETE FROM state.passwords WHERE username <> 'admin'");
    expect(await copy(source.place, urlOf(target))).toMatchObject({ copied: 0, stateRows: 4 });
    const { migrations: _, subscription_cursors: cursors, ...moved } = await dumpTables(target, 'state');
    expect(await dumpTables(source.settings, 'state')).toMatchObject(moved);
    // Reactions start over: their jobs did not come along.
    expect(cursors).toEqual([]);
  });

  it("refuses a target with another server's keys and changes nothing", async () => {
    const [source, target] = [await start(), await start()];
    await writeSampleLog(source.store, 3);
    await keysOf(source.settings, 'a');
    await keysOf(target.settings, 'b');
    await expect(copy(source.place, target.place)).rejects.toThrow(/keys of another server. Nothing was changed/);
    expect(await target.store.head()).toBeNull();
  });

  it('tells which event or row differs first, and drops its tables in any case', async () => {
    const [source, target] = [await start(), await start()];
    await writeSampleLog(source.store, 3);
    await copy(source.place, target.place);
    expect(await schemas(target.settings)).toEqual([]);
    await query(
      target.settings,
      "UPDATE log.events SET recorded_at = recorded_at + interval '1 ms' WHERE position = 2",
    );
    await expect(copy(source.place, target.place)).rejects.toThrow(
      /^The logs differ: event 2 .* has a different recordedAt/,
    );
    await query(
      target.settings,
      "UPDATE log.events SET recorded_at = recorded_at - interval '1 ms', metadata = '{}' WHERE position = 2",
    );
    await expect(copy(source.place, target.place)).rejects.toThrow(/event 2 .* has a different metadata/);
    expect([...(await schemas(target.settings)), ...(await schemas(source.settings))]).toEqual([]);
  });

  it('says how many events came to the source during the copy', async () => {
    const [source, target] = [await start(), await start()];
    const count = await writeSampleLog(source.store, 3);
    const write = async (events: readonly RecordedEvent[]): Promise<void> => {
      await source.store.append('late', oneEvent(), 'any');
      for (const event of events) await target.store.append(event.stream, [event], 'any');
    };
    const ours = { label: '', store: source.store, database: null, folder: null, write, close: async () => undefined };
    const place = await copyLog(
      ours,
      { ...ours, store: target.store },
      { events: 0, cursor: null },
      signal,
      () => undefined,
    );
    expect(place.events).toBe(count);
    expect(await countAfter(source.store, place.cursor, signal)).toBe(1);
  });

  it('ends with a summary, and with one JSON line when that is wanted; the password is in neither', async () => {
    const [source, target] = [await start(), await start()];
    const count = await writeSampleLog(source.store, 3);
    const { code, stdout, stderr } = await runTool('--from', source.place, '--to', target.place, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({
      events: count,
      copied: count,
      verified: { events: count },
    });
    expect(stderr).toMatch(
      new RegExp(
        `${count} events were copied in .* All ${count} events and all \\d+ rows of the read models are the same`,
      ),
    );
    expect(stdout + stderr).not.toContain(encodeURIComponent(source.settings.password));
  });

  it('ends with one line and exit code 1 for each misuse', async () => {
    const [source, empty] = [await start(), await startEmpty()];
    const nowhere = urlOf({ ...source.settings, port: 1 });
    const cases: [string[], RegExp][] = [
      [['--from', source.place], /--to is missing/],
      [['--from', source.place, '--to', 'mysql://x/y'], /--to: mysql:\/\/ is not known/],
      [['--from', source.place, '--to', source.place], /same log/],
      [['--from', urlOf(empty), '--to', source.place], /--from: .* is not a database of this program/],
      [['--from', nowhere, '--to', source.place], /--from: .* cannot be used/],
      [['--from', '/nowhere', '--to', source.place], /--from: \/nowhere holds no embedded PostgreSQL/],
      [['--form', 'x'], /--form/],
    ];
    for (const [args, line] of cases) {
      const error = await failure(args);
      expect(error).toBeInstanceOf(StartupError);
      expect(String(error)).toMatch(line);
      expect(String(error)).not.toMatch(/\n/);
    }
    const { code, stderr } = await runTool('--from', source.place, '--to', source.place);
    expect({ code, lines: stderr.trim().split('\n').length }).toEqual({ code: 1, lines: 1 });
  });
});
