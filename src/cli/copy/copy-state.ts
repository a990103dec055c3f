import { Client, escapeIdentifier } from 'pg';
import { StartupError } from '../../kernel/errors.js';
import type { DatabaseSettings } from '../../ports/database.port.js';

/**
 * The list of migrations is not copied, because the target has run them itself. The cursors of reactions are not copied
 * either. Their jobs are in a queue that is not copied, so reactions start at the beginning, which fills the queue again.
 * Unprocessable events are not copied, because the readers of the log meet them again. The current state of transfers, and
 * what comparisons find again, is not copied either.
 */
const NOT_COPIED = [
  'migrations',
  'subscription_cursors',
  'unprocessable_events',
  'scrub',
  'transfers',
  'peer_contacts',
  'peer_stages',
  'processes',
  'peer_comparisons',
  'refused_items',
  'refused_by_peers',
  'peer_tunnels',
];

type TableRows = ReadonlyMap<string, string>;

async function withClient<T>(database: DatabaseSettings, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client(database);
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Each secret is encrypted with its own nonce, so the same ciphertext belongs to the same server. */
const readSecrets = (database: DatabaseSettings): Promise<string> =>
  withClient(database, async (client) => {
    const { rows } = await client.query<{ all: string | null }>(
      "SELECT string_agg(name || ' ' || encode(ciphertext, 'hex'), ', ' ORDER BY name) AS all FROM state.server_secrets",
    );
    return rows[0]?.all ?? '';
  });

/** @throws StartupError when the target's keys and passwords are those of another server */
export async function refuseOtherServer(from: DatabaseSettings, to: DatabaseSettings, label: string): Promise<void> {
  const [ours, theirs] = await Promise.all([readSecrets(from), readSecrets(to)]);
  if (theirs === '' || theirs === ours) return;
  throw new StartupError(
    `${label} holds the keys of another server. Nothing was changed. Name a database that no server has used.`,
  );
}

/** True when the database contains the private key of a server. */
export const hasState = async (database: DatabaseSettings): Promise<boolean> => (await readSecrets(database)) !== '';

/** Puts the source's keys, passwords, sessions and feed cursors in the place of the target's. Returns their rows. */
export async function copyState(from: DatabaseSettings, to: DatabaseSettings): Promise<number> {
  const tables = await withClient(from, readState);
  return withClient(to, (client) => writeState(client, tables));
}

/** Reads every table as a JSON array of its rows, all in one snapshot. */
async function readState(client: Client): Promise<TableRows> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const { rows: tables } = await client.query<{ name: string }>(
    "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'state' AND tablename <> ALL ($1) ORDER BY 1",
    [NOT_COPIED],
  );
  const state = new Map<string, string>();
  for (const { name } of tables) {
    const { rows } = await client.query<{ rows: string }>(
      `SELECT coalesce(json_agg(t), '[]')::text AS rows FROM state.${escapeIdentifier(name)} t`,
    );
    state.set(name, rows[0]?.rows ?? '[]');
  }
  await client.query('COMMIT');
  return state;
}

async function writeState(client: Client, tables: TableRows): Promise<number> {
  let count = 0;
  await client.query('BEGIN');
  for (const [name, rows] of tables) {
    const table = `state.${escapeIdentifier(name)}`;
    await client.query(`DELETE FROM ${table}`);
    const { rowCount } = await client.query(
      `INSERT INTO ${table} SELECT * FROM json_populate_recordset(NULL::${table}, $1::json)`,
      [rows],
    );
    count += rowCount ?? 0;
  }
  await client.query('COMMIT');
  return count;
}

const PAGE_ROWS = 10_000;

interface RowPage {
  readonly rows: string;
  readonly last: string | null;
}

/**
 * Puts the chain of the audit trail and its checkpoints in the place of the target's, as far as the log was copied: what
 * came meanwhile is linked there again. The next start finds the place of the last entry in the other log.
 */
export async function copyChain(from: DatabaseSettings, to: DatabaseSettings, events: number): Promise<void> {
  const [source, target] = [new Client(from), new Client(to)];
  for (const client of [source, target]) client.on('error', () => undefined);
  await Promise.all([source.connect(), target.connect()]);
  try {
    await target.query('BEGIN');
    await target.query('DELETE FROM audit.chain');
    await target.query('DELETE FROM audit.checkpoints');
    await target.query('DELETE FROM audit.place');
    await copyRows(source, target, { table: 'audit.chain', key: 'number', events });
    await copyRows(source, target, { table: 'audit.checkpoints', key: 'sequence', events });
    await target.query(
      `INSERT INTO audit.place (number, epoch, cursor)
       SELECT number, 'copied', '' FROM audit.chain ORDER BY number DESC LIMIT 1`,
    );
    await target.query('COMMIT');
  } finally {
    await Promise.all([source.end(), target.end()]);
  }
}

interface ChainTable {
  readonly table: 'audit.chain' | 'audit.checkpoints';
  readonly key: 'number' | 'sequence';
  readonly events: number;
}

async function copyRows(source: Client, target: Client, { table, key, events }: ChainTable): Promise<void> {
  for (let after: string | null = '0'; after !== null;) {
    const { rows }: { rows: RowPage[] } = await source.query<RowPage>(
      `SELECT coalesce(json_agg(t), '[]')::text AS rows, max(t.${key}) AS last
       FROM (SELECT * FROM ${table} WHERE ${key} > $1 AND number <= $2 ORDER BY ${key} LIMIT ${PAGE_ROWS}) t`,
      [after, events],
    );
    await target.query(`INSERT INTO ${table} SELECT * FROM json_populate_recordset(NULL::${table}, $1::json)`, [
      rows[0]?.rows ?? '[]',
    ]);
    after = rows[0]?.last ?? null;
  }
}
