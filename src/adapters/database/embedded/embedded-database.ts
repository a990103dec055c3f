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
import { startOrAdopt, type ServerOptions, shutDown } from './postmaster.js';

/** Key of the advisory lock that a server holds on its data folder. The number has no meaning; nothing else uses it. */
const DATA_FOLDER_LOCK = 0x0d57_0001;
/** Time for PostgreSQL to notice that the connection of a killed process is closed, and to release its lock. */
const LOCK_TIMEOUT_MS = 5_000;
const NO_SUCH_DATABASE = '3D000';

/**
 * Opens a session that holds the lock on the data folder for as long as it lives.
 * @throws StartupError when another server holds it
 */
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
  // The `end` event tells of a lost connection.
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

const MAX_TRIES = 20;

/**
 * Starts PostgreSQL or takes over a running one, and locks the data folder. One that is ending answers until it ends the
 * connection, for example when a tool has just done its work. Then it is waited for and another one is started.
 * @throws StartupError
 */
async function reachServer(cluster: Cluster, dataDir: string, extra: ServerOptions) {
  for (let tries = 1; ; tries++) {
    const { port } = await startOrAdopt(cluster, 0, extra);
    const settings = settingsOf(cluster.password, port);
    try {
      return { settings, guard: await lockDataFolder(settings, dataDir) };
    } catch (error) {
      if (error instanceof StartupError) throw error;
      if (tries >= MAX_TRIES)
        throw new StartupError(`PostgreSQL in ${dataDir} does not keep a connection: ${messageOf(error)}`, error);
      await delay(tries * 50);
    }
  }
}

const MAX_LOG_BYTES = 8 * 1024 * 1024;
const LOG_CHECK_INTERVAL_MS = 10 * 60_000;

/**
 * Limits PostgreSQL's log to two files of about 8 MiB, the current one and the one before. Returns a function that ends
 * this.
 */
function limitLogSize(file: string, onError: (error: unknown) => void): () => void {
  const check = (): void => void rotateLog(file).catch(onError);
  check();
  const timer = setInterval(check, LOG_CHECK_INTERVAL_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** PostgreSQL keeps the file open for appending, so it is copied and then emptied in place. */
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
  /** Further PostgreSQL settings, which take precedence over ours. For tests. */
  readonly settings?: ServerOptions;
  /** Is called when PostgreSQL was lost, when it is back and when a restart has failed. */
  readonly onEvent?: (message: string) => void;
}

/**
 * A real PostgreSQL in `<dataDir>/postgres`. This process starts it, or takes it over from one that was killed. It
 * listens on a free loopback port, is started again when it dies, and ends with `stop()`.
 */
export class EmbeddedDatabase extends PgDatabase {
  private readonly stopping = new AbortController();
  private recovery: Promise<void> = Promise.resolve();
  private readonly stopLimitingLog: () => void;

  private constructor(
    readonly settings: DatabaseSettings,
    private readonly cluster: Cluster,
    private readonly dataDir: string,
    private guard: Client,
    private readonly options: EmbeddedOptions,
  ) {
    super();
    this.stopLimitingLog = limitLogSize(cluster.logFile, (error) =>
      this.report(`Its log cannot be bounded: ${messageOf(error)}`),
    );
    this.watchGuard();
  }

  /** Starts the server, or takes over a running one. @throws StartupError with one line that says what to change */
  static async start(dataDir: string, options: EmbeddedOptions = {}): Promise<EmbeddedDatabase> {
    const cluster = await prepareCluster(join(dataDir, 'postgres'), await findBinaries(), options.onEvent);
    const { settings, guard } = await reachServer(cluster, dataDir, options.settings ?? {});
    return new EmbeddedDatabase(settings, cluster, dataDir, guard, options);
  }

  override async stop(): Promise<void> {
    if (this.stopping.signal.aborted) return;
    this.stopping.abort();
    this.stopLimitingLog();
    await this.recovery;
    await shutDown(this.cluster);
    await this.guard.end().catch(() => undefined);
  }

  private watchGuard(): void {
    this.guard.once('end', () => {
      if (!this.stopping.signal.aborted) this.recovery = this.recoverServer();
    });
  }

  private async recoverServer(): Promise<void> {
    this.report('The connection to PostgreSQL was lost');
    await retry(() => this.restartServer(), {
      signal: this.stopping.signal,
      backoff: backoffBetween(250, 5000),
      onFailure: (error) => this.report(`PostgreSQL cannot be started again: ${messageOf(error)}`),
    });
  }

  private async restartServer(): Promise<void> {
    await startOrAdopt(this.cluster, this.settings.port, this.options.settings ?? {});
    this.guard = await lockDataFolder(this.settings, this.dataDir);
    this.watchGuard();
    this.report('PostgreSQL is back');
  }

  private report(message: string): void {
    this.options.onEvent?.(message);
  }
}

/** The settings that reach the embedded server on a port. */
const settingsOf = (password: string, port: number): DatabaseSettings => ({
  host: '127.0.0.1',
  port,
  user: SUPERUSER,
  password,
  database: DATABASE_NAME,
  ssl: false,
});

/** Gives programs beside a server the settings of its PostgreSQL on this data folder; null if none is running. */
export async function runningSettings(dataDir: string): Promise<DatabaseSettings | null> {
  const folder = join(dataDir, 'postgres');
  const running = await findPostmaster(dataFolder(folder)).catch(() => null);
  if (!running?.ready) return null;
  return settingsOf(await readFile(passwordFile(folder), 'utf8'), running.port);
}
