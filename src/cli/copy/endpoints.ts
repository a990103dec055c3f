import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { dataFolder } from '../../adapters/database/embedded/cluster.js';
import { EmbeddedDatabase, runningSettings } from '../../adapters/database/embedded/embedded-database.js';
import { ExternalDatabase } from '../../adapters/database/external/external-database.js';
import { EventStoreDbEventStore } from '../../adapters/event-store/eventstoredb/eventstoredb-event-store.js';
import { type Append, PostgresEventStore } from '../../adapters/event-store/postgres/postgres-event-store.js';
import { StartupError } from '../../kernel/errors.js';
import type { RecordedEvent } from '../../kernel/events.js';
import type { DatabaseSettings } from '../../ports/database.port.js';
import type { EventStore } from '../../ports/event-store.port.js';
import { loadMigrations, migrate } from '../../server/boot/data-source.js';
import type { Flag, LogLocation } from './arguments.js';

/** An event log that is the source or the target of a copy. */
export interface Endpoint {
  readonly label: string;
  readonly store: EventStore;
  /** The PostgreSQL that contains the log; null for another engine. */
  readonly database: DatabaseSettings | null;
  /** The data folder with this PostgreSQL in it; null for another one. */
  readonly folder: string | null;
  /**
   * Records events of another log at the end of this one, in their order and with nothing in between. When it is
   * interrupted, it has recorded only the first of them.
   * @throws RevisionConflict, EventStoreUnavailable
   */
  write(events: readonly RecordedEvent[]): Promise<void>;
  close(): Promise<void>;
}

/** Limits of one append. EventStoreDB refuses more than 1 MiB; an event can have 64 KiB of data and 16 KiB of metadata. */
const MAX_APPEND_BYTES = 512 * 1024;
const MAX_APPEND_EVENTS = 500;

interface AppendGroup {
  readonly stream: string;
  readonly events: RecordedEvent[];
  bytes: number;
}

/** Groups events into appends that record them again. Neighbours of one stream are in one append, and the order stays. */
function groupAppends(events: readonly RecordedEvent[]): readonly Append[] {
  const groups: AppendGroup[] = [];
  for (const event of events) {
    const bytes = Buffer.byteLength(JSON.stringify([event.data, event.metadata]));
    const last = groups.at(-1);
    if (
      last?.stream === event.stream &&
      last.bytes + bytes <= MAX_APPEND_BYTES &&
      last.events.length < MAX_APPEND_EVENTS
    ) {
      last.events.push(event);
      last.bytes += bytes;
    } else {
      groups.push({ stream: event.stream, events: [event], bytes });
    }
  }
  return groups.map(({ stream, events: [first, ...rest] }) => makeAppend(stream, first, rest));
}

/** Expects the previous revision, so that the append fails when somebody else has written to the stream. */
function makeAppend(stream: string, first: RecordedEvent | undefined, rest: readonly RecordedEvent[]): Append {
  if (!first) throw new Error('A group without events');
  const expected = first.revision === 0n ? 'none' : first.revision - 1n;
  return {
    stream,
    expected,
    events: [first, ...rest].map(({ id, type, data, metadata, recordedAt }) => ({
      id,
      type,
      data,
      metadata,
      recordedAt,
    })),
  };
}

/** Longest time that the event store may take to answer. */
const EVENT_STORE_TIMEOUT_MS = 5000;

/** @throws StartupError */
async function openEventStoreDb({ flag, url, label }: LogLocation & { url: string }): Promise<Endpoint> {
  // Informational messages are left out, because the final error says that the server does not answer.
  const log = (level: string, message: string): void => {
    if (level !== 'info') process.stderr.write(`${message}\n`);
  };
  const store = await EventStoreDbEventStore.connect(url, { patience: EVENT_STORE_TIMEOUT_MS, log }).catch(
    (error: unknown) => {
      if (!(error instanceof StartupError)) throw error;
      throw new StartupError(error.message.replace(/EVENTSTOREDB_URL/, flag), error);
    },
  );
  return {
    label,
    store,
    database: null,
    folder: null,
    // The event store orders appends as they arrive, so the next one is sent when this one is durable.
    write: async (events) => {
      for (const append of groupAppends(events)) await store.append(append.stream, append.events, append.expected);
    },
    close: () => store.close(),
  };
}

/**
 * Is this a database of this program, at this version? A source is read only, so it is not migrated: its server would
 * find tables that it does not know. @throws StartupError
 */
async function checkSchema(database: DatabaseSettings, label: string): Promise<void> {
  const client = new Client(database);
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows: found } = await client.query<{ table: string | null }>(
      "SELECT to_regclass('state.migrations')::text AS table",
    );
    if (!found[0]?.table)
      throw new StartupError(`--from: ${label} is not a database of this program: it has no event log.`);
    const { rows } = await client.query<{ name: string }>('SELECT name FROM state.migrations');
    const run = new Set(rows.map(({ name }) => name));
    const migrations = await loadMigrations();
    if (migrations.every(({ name }) => run.has(name))) return;
    throw new StartupError(
      `--from: ${label} was made by an earlier version of this program. Start this version of the server on it once.`,
    );
  } finally {
    await client.end();
  }
}

/** Longest time that a database may take to answer. */
const DATABASE_TIMEOUT_MS = 5000;

type EmbeddedLocation = Extract<LogLocation, { engine: 'embedded' }>;

/** Opens the log in an external PostgreSQL. @throws StartupError */
async function openExternal(place: LogLocation & { url: string }): Promise<Endpoint> {
  const { settings } = await ExternalDatabase.connect(place.url, { patience: DATABASE_TIMEOUT_MS }).catch(
    (error: unknown) => explainOpenError(place.flag, error),
  );
  if (place.flag === '--to') await migrate(settings).catch((error: unknown) => explainOpenError(place.flag, error));
  else await checkSchema(settings, place.label);
  return makeEndpoint(settings, place.label, null, async () => undefined);
}

/**
 * The PostgreSQL of a data folder. As a source it may be that of a running server; as a target it is started here, which
 * is refused when a server holds it. @throws StartupError
 */
async function openEmbedded({ flag, folder, label }: EmbeddedLocation): Promise<Endpoint> {
  if (flag === '--from' && !existsSync(dataFolder(join(folder, 'postgres')))) {
    throw new StartupError(`--from: ${folder} holds no embedded PostgreSQL. Name the data folder of a server.`);
  }
  const running = flag === '--from' ? await runningSettings(folder) : null;
  if (running) {
    await checkSchema(running, label);
    return makeEndpoint(running, label, folder, async () => undefined);
  }
  const database = await EmbeddedDatabase.start(folder).catch((error: unknown) => explainOpenError(flag, error));
  try {
    await migrate(database.settings);
  } catch (error) {
    await database.stop();
    throw error;
  }
  return makeEndpoint(database.settings, label, folder, () => database.stop());
}

function makeEndpoint(
  database: DatabaseSettings,
  label: string,
  folder: string | null,
  stop: () => Promise<void>,
): Endpoint {
  const store = new PostgresEventStore(database);
  return {
    label,
    store,
    database,
    folder,
    write: (events) => store.appendTogether(groupAppends(events)),
    close: async () => {
      await store.close();
      await stop();
    },
  };
}

/** Replaces the name of the setting by the name of the option in the message of an error. */
function explainOpenError(flag: Flag, error: unknown): never {
  const message = error instanceof Error ? error.message : String(error);
  throw new StartupError(`${flag}: ${message.replace(' (DATABASE_URL)', '').replace(/^DATABASE_URL:? /, '')}`, error);
}

/** @throws StartupError */
function openEndpoint(place: LogLocation): Promise<Endpoint> {
  if (place.engine === 'embedded') return openEmbedded(place);
  if (place.engine === 'postgres') return openExternal(place);
  return openEventStoreDb(place);
}

/** Opens both logs and closes them when the work ends. @throws StartupError also when they are the same log */
export async function withEndpoints<T>(
  from: LogLocation,
  to: LogLocation,
  work: (source: Endpoint, target: Endpoint) => Promise<T>,
): Promise<T> {
  if (from.label === to.label) throw sameLog(from.label);
  const source = await openEndpoint(from);
  try {
    const target = await openEndpoint(to);
    try {
      if ((await source.store.epoch()) === (await target.store.epoch())) throw sameLog(source.label);
      return await work(source, target);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

const sameLog = (label: string): StartupError =>
  new StartupError(`--from and --to are the same log (${label}). Name another target.`);
