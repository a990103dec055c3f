import { Client } from 'pg';
import { errorCode, messageOf, StartupError } from '../../../kernel/errors.js';
import { retry } from '../../../kernel/retry.js';
import type { DatabaseSettings } from '../../../ports/database.port.js';
import { PgDatabase } from '../../shared/pg-session.js';

const URL_SHAPE = 'postgres://user:password@host:5432/database';

/** The meaning of `sslmode` in libpq. `no-verify` exists in node-postgres only. */
const SSL_MODES: Readonly<Record<string, DatabaseSettings['ssl']>> = {
  disable: false,
  allow: false,
  prefer: false,
  require: { rejectUnauthorized: false },
  'no-verify': { rejectUnauthorized: false },
  'verify-ca': true,
  'verify-full': true,
};

/** Parses `DATABASE_URL`. Errors never contain the password. @throws StartupError */
export function parseDatabaseUrl(text: string): DatabaseSettings {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^postgres(ql)?:$/.test(url.protocol) || url.hostname === '' || url.pathname.length < 2) {
    throw new StartupError(`DATABASE_URL must look like ${URL_SHAPE}`);
  }
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port || 5432),
    user: decodeUrlPart(url.username || 'postgres'),
    password: decodeUrlPart(url.password),
    database: decodeUrlPart(url.pathname.slice(1)),
    ssl: sslOf(url.searchParams),
  };
}

function sslOf(parameters: URLSearchParams): DatabaseSettings['ssl'] {
  const mode = parameters.get('sslmode') ?? (parameters.get('ssl') === 'true' ? 'verify-full' : 'disable');
  const ssl = SSL_MODES[mode];
  if (ssl === undefined)
    throw new StartupError(`DATABASE_URL: sslmode must be one of ${Object.keys(SSL_MODES).join(', ')}`);
  return ssl;
}

function decodeUrlPart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new StartupError('DATABASE_URL: a "%" in the user, password or database must be written as %25');
  }
}

/** Time for the database to answer when this server starts, since both may be starting together. */
const CONNECT_TIMEOUT_MS = 30_000;
const RETRY_INTERVAL_MS = 250;
/** PostgreSQL 14, as `server_version_num` shows it. */
const MIN_VERSION = 140_000;
/** Wrong password, unknown user, no such database: waiting does not help. */
const FINAL_CODES = new Set(['28P01', '28000', '3D000']);

interface ConnectOptions {
  readonly patience?: number;
  readonly onWaiting?: (message: string) => void;
  /** Ends the wait. With it, the database has to be writable, and a read-only one is waited for without an end. */
  readonly signal?: AbortSignal;
}

/** A PostgreSQL outside this server (`DATABASE_URL`). */
export class ExternalDatabase extends PgDatabase {
  private constructor(readonly settings: DatabaseSettings) {
    super();
  }

  /**
   * Waits until it answers, for at most `patience` milliseconds, and reports once that it waits.
   * @throws StartupError
   */
  static async connect(
    url: string,
    { patience = CONNECT_TIMEOUT_MS, onWaiting = () => undefined, signal }: ConnectOptions = {},
  ): Promise<ExternalDatabase> {
    const settings = parseDatabaseUrl(url);
    const deadline = Date.now() + patience;
    const isWorthRetrying = (error: unknown): boolean => {
      if (error instanceof StartupError) return false;
      // A read-only database is waited for: it is there, and somebody has to make it writable or to name another one.
      const waitsOn = error instanceof ReadOnlyDatabase;
      if (FINAL_CODES.has(errorCode(error) ?? '') || (Date.now() >= deadline && !waitsOn))
        throw unusableError(settings, error);
      return true;
    };
    await retry(
      () => probeDatabase(settings, Math.max(RETRY_INTERVAL_MS, deadline - Date.now()), signal !== undefined),
      {
        while: isWorthRetrying,
        signal: signal ?? new AbortController().signal,
        backoff: () => RETRY_INTERVAL_MS,
        onFailure: tellOnce(placeOf(settings), onWaiting),
      },
    );
    return new ExternalDatabase(settings);
  }

  override async stop(): Promise<void> {
    // The server did not start this database, so it does not stop it.
  }
}

/** Waits without an end until a database that answers takes changes, and reports once that it waits. */
export async function waitUntilWritable(
  settings: DatabaseSettings,
  place: string,
  { onWaiting, signal }: { readonly onWaiting: (message: string) => void; readonly signal: AbortSignal },
): Promise<void> {
  await retry(() => probeDatabase(settings, CONNECT_TIMEOUT_MS, true), {
    while: (error) => error instanceof ReadOnlyDatabase,
    signal,
    backoff: () => RETRY_INTERVAL_MS,
    onFailure: tellOnce(place, onWaiting),
  });
}

/** Reports what a start waits for, and not again while the reason stays the same. */
function tellOnce(place: string, onWaiting: (message: string) => void): (error: unknown) => void {
  let told = '';
  return (error) => {
    const message = `Waiting for the database ${place}: ${reasonOf(error)}`;
    if (message !== told) onWaiting(message);
    told = message;
  };
}

async function probeDatabase(settings: DatabaseSettings, timeout: number, mustWrite: boolean): Promise<void> {
  const client = new Client({ ...settings, connectionTimeoutMillis: timeout });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ version: number; encoding: string; readOnly: boolean }>(
      `SELECT current_setting('server_version_num')::int AS version, current_setting('server_encoding') AS encoding,
       current_setting('transaction_read_only') = 'on' AS "readOnly"`,
    );
    const [{ version, encoding, readOnly } = { version: 0, encoding: '', readOnly: false }] = rows;
    if (version < MIN_VERSION) throw new StartupError('DATABASE_URL: PostgreSQL 14 or newer is needed');
    if (encoding !== 'UTF8') throw wrongEncoding(settings, encoding);
    if (readOnly && mustWrite) throw new ReadOnlyDatabase();
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** The database takes no changes, as a standby or during maintenance. */
class ReadOnlyDatabase extends Error {
  constructor() {
    super('it is read-only, and this server has to write into it');
  }
}

const wrongEncoding = (settings: DatabaseSettings, encoding: string): StartupError =>
  new StartupError(
    `The database ${placeOf(settings)} has the encoding ${encoding}, in which names of many languages cannot be stored. ` +
      `Make one with UTF8, such as by createdb --encoding UTF8 --template template0 ${settings.database}.`,
  );

const placeOf = ({ host, port, database }: DatabaseSettings): string => `${database} at ${host}:${port} (DATABASE_URL)`;

const reasonOf = (error: unknown): string => messageOf(error) || errorCode(error) || 'no answer';

const unusableError = (settings: DatabaseSettings, error: unknown): StartupError =>
  new StartupError(`The database ${placeOf(settings)} cannot be used: ${reasonOf(error)}`, error);
