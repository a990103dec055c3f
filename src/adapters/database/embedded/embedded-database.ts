import { copyFile, readFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, escapeIdentifier } from 'pg';
import { errorCode, messageOf, StartupError } from '../../../kernel/errors.js';
import { backoffBetween, retry } from '../../../kernel/retry.js';
import type { DatabaseSettings } from '../../../ports/database.port.js';
import { PgDatabase } from '../../shared/pg-session.js';
import { findBinaries } from './binaries.js';
import { type Cluster, dataFolder, passwordFile, prepareCluster, SUPERUSER } from './cluster.js';
import { findPostmaster } from './postmaster-file.js';
import { bringUp, type ServerOptions, shutDown } from './postmaster.js';

/** Key of the session lock that says: this data folder has its server. Any number that nothing else uses. */
const DATA_FOLDER_LOCK = 0x0d57_0001;
/** The session of a process that was killed ends as soon as PostgreSQL sees its connection closed; milliseconds. */
const LOCK_TIMEOUT_MS = 5_000;
const NO_SUCH_DATABASE = '3D000';

/** A session that holds the data folder for this process, so that a second server on it is refused. */
async function lockDataFolder(settings: DatabaseSettings, folder: string): Promise<Client> {
  const client = await connectToDatabase(settings);
  for (const deadline = Date.now() + LOCK_TIMEOUT_MS; ;) {
    const { rows } = await client.query<{ held: boolean }>('SELECT pg_try_advisory_lock($1) AS held', [
      DATA_FOLDER_LOCK,
    ]);
    if (rows[0]?.held) return client;
    if (Date.now() > deadline) break;
    await delay(50);
  }
  await client.end();
  throw new StartupError(
    `Another server is running with the data folder ${folder}: stop it, or set another ODST_DATA_DIR`,
  );
}

async function connectToDatabase(settings: DatabaseSettings): Promise<Client> {
  const client = new Client(settings);
  // A lost connection is seen by the `end` event.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    if (errorCode(error) !== NO_SUCH_DATABASE) throw error;
    await createDatabase(settings);
    return connectToDatabase(settings);
  }
}

async function createDatabase(settings: DatabaseSettings): Promise<void> {
  const client = new Client({ ...settings, database: 'postgres' });
  await client.connect();
  try {
    await client.query(`CREATE DATABASE ${escapeIdentifier(settings.database)}`);
  } finally {
    await client.end();
  }
}

const MAX_LOG_BYTES = 8 * 1024 * 1024;
const LOG_CHECK_INTERVAL_MS = 10 * 60_000;

/** Keeps PostgreSQL's log to twice 8 MiB: the current file and the one before it. Returns the way to stop that. */
function limitLogSize(file: string, onError: (error: unknown) => void): () => void {
  const check = (): void => void rotateLog(file).catch(onError);
  check();
  const timer = setInterval(check, LOG_CHECK_INTERVAL_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** PostgreSQL keeps the file open for appending, so it is emptied in place. */
async function rotateLog(file: string): Promise<void> {
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  );
  if (size < MAX_LOG_BYTES) return;
  await copyFile(file, `${file}.1`);
  await truncate(file);
}

const DATABASE_NAME = 'odst';

interface EmbeddedOptions {
  /** PostgreSQL settings on top of ours, for tests. */
  readonly settings?: ServerOptions;
  /** Told when PostgreSQL was lost and when it is back. */
  readonly onEvent?: (message: string) => void;
}

/**
 * A real PostgreSQL in `<dataDir>/postgres`, started here, or taken over from a process that was killed. It listens on
 * a free loopback port, is started again when it dies, and stops with `stop()`.
 */
export class EmbeddedDatabase extends PgDatabase {
  private readonly stopping = new AbortController();
  private recovery: Promise<void> = Promise.resolve();
  private readonly stopBounding: () => void;

  private constructor(
    readonly settings: DatabaseSettings,
    private readonly cluster: Cluster,
    private readonly dataDir: string,
    private guard: Client,
    private readonly options: EmbeddedOptions,
  ) {
    super();
    this.stopBounding = limitLogSize(cluster.logFile, (error) =>
      this.say(`Its log cannot be bounded: ${messageOf(error)}`),
    );
    this.watch();
  }

  /** @throws StartupError with one line that says what to change */
  static async start(dataDir: string, options: EmbeddedOptions = {}): Promise<EmbeddedDatabase> {
    const cluster = await prepareCluster(join(dataDir, 'postgres'), await findBinaries());
    const { port } = await bringUp(cluster, 0, options.settings ?? {});
    const settings = settingsOf(cluster.password, port);
    const guard = await lockDataFolder(settings, dataDir);
    return new EmbeddedDatabase(settings, cluster, dataDir, guard, options);
  }

  override async stop(): Promise<void> {
    if (this.stopping.signal.aborted) return;
    this.stopping.abort();
    this.stopBounding();
    await this.recovery;
    await shutDown(this.cluster);
    await this.guard.end().catch(() => undefined);
  }

  private watch(): void {
    this.guard.once('end', () => {
      if (!this.stopping.signal.aborted) this.recovery = this.recover();
    });
  }

  private async recover(): Promise<void> {
    this.say('The connection to PostgreSQL was lost');
    await retry(() => this.restart(), {
      signal: this.stopping.signal,
      backoff: backoffBetween(250, 5000),
      onFailure: (error) => this.say(`PostgreSQL cannot be started again: ${messageOf(error)}`),
    });
  }

  private async restart(): Promise<void> {
    await bringUp(this.cluster, this.settings.port, this.options.settings ?? {});
    this.guard = await lockDataFolder(this.settings, this.dataDir);
    this.watch();
    this.say('PostgreSQL is back');
  }

  private say(message: string): void {
    this.options.onEvent?.(message);
  }
}

export const settingsOf = (password: string, port: number): DatabaseSettings => ({
  host: '127.0.0.1',
  port,
  user: SUPERUSER,
  password,
  database: DATABASE_NAME,
  ssl: false,
});

/** How to reach the PostgreSQL of a server that runs on this data folder; null when none does. For tools beside it. */
export async function runningSettings(dataDir: string): Promise<DatabaseSettings | null> {
  const folder = join(dataDir, 'postgres');
  const running = await findPostmaster(dataFolder(folder)).catch(() => null);
  if (!running?.ready) return null;
  return settingsOf(await readFile(passwordFile(folder), 'utf8'), running.port);
}
