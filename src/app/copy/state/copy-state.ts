import { Client, escapeIdentifier } from 'pg';
import { StartupError } from '../../../kernel/startup-error.js';
import type { DatabaseSettings } from '../../../ports/database.port.js';

/**
 * Not copied: the list of migrations, which the target has run itself, and how far reactions have read. Their jobs are
 * in a queue that is not copied, so they start at the beginning, which is harmless and fills the queue anew. Nor what
 * processes tell of what they are doing now.
 */
const NOT_COPIED = [
  'migrations',
  'subscription_cursors',
  'scrub',
  'transfers',
  'peer_contacts',
  'peer_comparisons',
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

/** A secret is encrypted with a nonce of its own: the same ciphertext is the same server's. */
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

/** Does a server find its private key there? */
export const hasState = async (database: DatabaseSettings): Promise<boolean> => (await readSecrets(database)) !== '';

/** Puts the source's keys, passwords, sessions and feed cursors in the place of the target's. Returns their rows. */
export async function copyState(from: DatabaseSettings, to: DatabaseSettings): Promise<number> {
  const tables = await withClient(from, readState);
  return withClient(to, (client) => writeState(client, tables));
}

/** Every table as a JSON array of its rows, all of one instant. */
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
