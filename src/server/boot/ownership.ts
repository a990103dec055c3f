import type { Client } from 'pg';
import { StartupError } from '../../kernel/errors.js';
import { serverEvents } from '../../modules/server/contracts/server.events.js';
import { logHolds } from '../../platform/eventsourcing/history.js';
import type { DatabaseSettings } from '../../ports/database.port.js';
import type { EventStore } from '../../ports/event-store.port.js';
import { withBootClient } from './data-source.js';
import { allProjections } from './read-models.js';

interface Binding {
  readonly epoch: string;
  readonly serverId: string;
}

/**
 * Makes sure that database and log belong together, before anything is derived from the one into the other. A log that
 * was copied to another engine is another log. Then everything derived is dropped and derived from it again.
 * Returns true in this case. @throws StartupError when the log belongs to another server, or lacks events that the database knows
 */
export async function checkBinding(settings: DatabaseSettings, store: EventStore): Promise<boolean> {
  const bound = await withBootClient(settings, readBinding);
  const epoch = await store.epoch();
  if (!bound || bound.epoch === epoch) return false;
  const owner = await readLogOwner(store);
  if (owner === null) throw emptyLog(bound);
  if (owner !== bound.serverId) throw foreignLog(owner, bound);
  const last = await withBootClient(settings, readLastKnown);
  // After a move, the whole log may have to be read once.
  if (last && !(await logHolds(store, null, last.id))) throw staleLog(bound, last);
  await withBootClient(settings, (client) => dropDerivedData(client, { epoch, serverId: owner }));
  return true;
}

/** Records that database and log belong together, when the server is known. */
export async function bindLog(settings: DatabaseSettings, store: EventStore, serverId: string): Promise<void> {
  const epoch = await store.epoch();
  await withBootClient(settings, (client) => writeBinding(client, { epoch, serverId }));
}

const emptyLog = ({ serverId }: Binding): StartupError =>
  new StartupError(
    `The event log is empty, but this database belongs to the server ${serverId}, whose history is in another log. ` +
      'Copy it with "npm run events:copy" first, or set DATABASE_URL and EVENTSTOREDB_URL as they were.',
  );

const foreignLog = (owner: string, { serverId }: Binding): StartupError =>
  new StartupError(
    `The event log belongs to the server ${owner}, but this database belongs to the server ${serverId}. ` +
      'Give each server a log and a database of its own (DATABASE_URL, EVENTSTOREDB_URL).',
  );

const staleLog = ({ serverId }: Binding, { recordedAt }: LastKnown): StartupError =>
  new StartupError(
    `The event log is an old copy: the last events of the server ${serverId}, of ${recordedAt.toISOString()}, are missing in it. ` +
      'Copy the rest with "npm run events:copy" first, or set DATABASE_URL and EVENTSTOREDB_URL as they were.',
  );

interface LastKnown {
  readonly id: string;
  readonly recordedAt: Date;
}

/** Reads the newest event that the audit trail shows; null when it shows none. */
async function readLastKnown(client: Client): Promise<LastKnown | null> {
  const { rows } = await client.query<LastKnown>(
    'SELECT event_id AS id, recorded_at AS "recordedAt" FROM read.audit_entries ORDER BY seq DESC LIMIT 1',
  );
  return rows[0] ?? null;
}

/** Id of the server to which the log belongs; null when the log is empty. */
async function readLogOwner(store: EventStore): Promise<string | null> {
  for await (const record of store.readStream('server')) {
    const event = serverEvents.read(record);
    if (event?.type === 'ServerInitialised') return event.data.serverId;
  }
  return null;
}

async function readBinding(client: Client): Promise<Binding | null> {
  const { rows } = await client.query<Binding>('SELECT epoch, server_id AS "serverId" FROM state.log_binding');
  return rows[0] ?? null;
}

async function writeBinding(client: Client, { epoch, serverId }: Binding): Promise<void> {
  await client.query(
    `INSERT INTO state.log_binding (epoch, server_id) VALUES ($1, $2)
     ON CONFLICT (one) DO UPDATE SET epoch = excluded.epoch, server_id = excluded.server_id`,
    [epoch, serverId],
  );
}

/** Cursors of the old log are invalid in the new one, so they are deleted in the same transaction. */
async function dropDerivedData(client: Client, binding: Binding): Promise<void> {
  const tables = [
    'read.checkpoints',
    ...allProjections().flatMap(({ tables }) => tables.map((table) => `read.${table}`)),
  ];
  await client.query('BEGIN');
  await client.query(`TRUNCATE ${tables.join(', ')}`);
  await client.query('DELETE FROM state.subscription_cursors');
  await client.query('DELETE FROM state.unprocessable_events');
  await writeBinding(client, binding);
  await client.query('COMMIT');
}
