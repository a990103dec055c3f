import { Client } from 'pg';
import type { DatabaseSettings } from '../../../ports/database.port.js';

/** Held in shared mode by each process for as long as its session lives. */
const PRESENCE = 'process';

/** Keys of their own, apart from other users of advisory locks in this database. */
const lockKey = (parameter: string): string => `hashtextextended('odst lock ' || ${parameter}, 0)`;

/**
 * So that the locks of a machine that is gone are free within 10 s: the server looks after 2 s of silence, three times.
 * Without effect on a Unix socket, whose other end can't be gone in silence.
 */
const KEEPALIVE_SQL = `
SELECT set_config('tcp_keepalives_idle', '2', false), set_config('tcp_keepalives_interval', '1', false),
       set_config('tcp_keepalives_count', '3', false), set_config('tcp_user_timeout', '5000', false)`;

/** Makes a new session one that others see as a living process. */
async function beginSession(session: Client): Promise<void> {
  await session.query(KEEPALIVE_SQL);
  await session.query(`SELECT pg_advisory_lock_shared(${lockKey('$1')})`, [PRESENCE]);
}

/** Takes those of the locks that are free; the names of these. */
export async function takeFreeLocks(session: Client, names: readonly string[]): Promise<readonly string[]> {
  const { rows } = await session.query<{ name: string }>(
    `SELECT name FROM unnest($1::text[]) name WHERE pg_try_advisory_lock(${lockKey('name')})`,
    [names],
  );
  return rows.map(({ name }) => name);
}

export async function releaseLock(session: Client, name: string): Promise<void> {
  await session.query(`SELECT pg_advisory_unlock(${lockKey('$1')})`, [name]);
}

/** A 64-bit key stands in pg_locks in two halves. */
const OTHER_PROCESSES_SQL = `
SELECT count(*)::int AS others FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted AND l.pid <> pg_backend_pid()
  AND (l.classid::bigint << 32) + l.objid::bigint = ${lockKey('$1')}`;

/** How many other processes live. */
export async function countOtherProcesses(session: Client): Promise<number> {
  const { rows } = await session.query<{ others: number }>(OTHER_PROCESSES_SQL, [PRESENCE]);
  return rows[0]?.others ?? 0;
}

/** A query that takes longer means that the database, or the way to it, is gone. */
const QUERY_TIMEOUT_MS = 4_000;

/** The one session that holds the locks of this process. Made anew by the next call after it was lost. */
export class LockSession {
  private client: Client | null = null;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly settings: DatabaseSettings,
    /** Whatever was held is held no longer. */
    private readonly onLost: () => void,
  ) {}

  /** One query at a time; a failed one ends the session. @throws what the database, or the connection, says */
  use<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const turn = this.turn.then(() => this.run(work));
    this.turn = turn.catch(() => undefined);
    return turn;
  }

  async end(): Promise<void> {
    await this.turn;
    const { client } = this;
    this.client = null;
    await client?.end().catch(() => undefined);
  }

  private async run<T>(work: (client: Client) => Promise<T>): Promise<T> {
    try {
      this.client ??= await this.connect();
      return await work(this.client);
    } catch (error) {
      this.drop();
      throw error;
    }
  }

  private async connect(): Promise<Client> {
    const timeouts = { connectionTimeoutMillis: QUERY_TIMEOUT_MS, query_timeout: QUERY_TIMEOUT_MS, keepAlive: true };
    const client = new Client({ ...this.settings, ...timeouts, application_name: 'odst locks' });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await beginSession(client);
    } catch (error) {
      void client.end().catch(() => undefined);
      throw error;
    }
    client.once('end', () => this.lost(client));
    return client;
  }

  private drop(): void {
    const { client } = this;
    if (!client) return;
    this.lost(client);
    // Not waited for: the other end may be gone.
    void client.end().catch(() => undefined);
  }

  private lost(client: Client): void {
    if (this.client !== client) return;
    this.client = null;
    this.onLost();
  }
}
