import { Client } from 'pg';
import type { DatabaseSettings } from '../../../ports/database.port.js';
import { beginSession } from './sql.js';

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
