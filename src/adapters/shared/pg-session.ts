import { Client } from 'pg';
import { backoffBetween, backoffMs, pause, retry } from '../../kernel/retry.js';
import {
  Database,
  type DatabaseSettings,
  type ListenerOptions,
  type NotificationListener,
} from '../../ports/database.port.js';

const CONNECT_TIMEOUT_MS = 5_000;
const MIN_RECONNECT_DELAY_MS = 50;
const MAX_RECONNECT_DELAY_MS = 5_000;

export interface PgSessionOptions {
  /** The name by which `pg_stat_activity` knows the connection. */
  readonly name: string;
  /** Channels that are listened to on every connection. */
  readonly channels?: readonly string[];
  readonly onNotification?: (channel: string, payload: string) => void;
  /** Prepares each new connection before it is used. If this fails, the attempt to connect fails as well. */
  readonly prepare?: (client: Client) => Promise<void>;
  /** Called after each connection; `isFirst` is false if an earlier one, or an attempt to connect, has failed. */
  readonly onConnected?: (isFirst: boolean) => void;
  /** Called when a connection has ended other than by `close`, with the error if there was one. */
  readonly onLost?: (error: Error | null) => void;
  /** Milliseconds after which an attempt to connect fails; 5 s when left out. */
  readonly connectTimeoutMs?: number;
  /** Milliseconds after which a query fails. There is no limit when this is left out. */
  readonly queryTimeoutMs?: number;
  /** The longest delay between two attempts to connect, in milliseconds; 5 s when left out. */
  readonly maxReconnectDelayMs?: number;
  /** Ends the connection after a failed `use`. For sessions whose state must be certain. */
  readonly endsOnError?: boolean;
}

/**
 * One connection to PostgreSQL that is opened again after it was lost: by the next `use`, or, after `keepConnected`, at once
 * and until it succeeds. `prepare` and `channels` set up again everything that belongs to the connection, such as locks and
 * channels.
 */
export class PgSession implements NotificationListener {
  private client: Client | null = null;
  private connecting: Promise<Client> | null = null;
  private turn: Promise<unknown> = Promise.resolve();
  private isFirst = true;
  private readonly channels: Set<string>;
  private readonly closed = new AbortController();
  /** Ends the wait of `stayConnected` for the loss of the connection. */
  private noteLoss: () => void = () => undefined;

  constructor(
    private readonly settings: DatabaseSettings,
    private readonly options: PgSessionOptions,
  ) {
    this.channels = new Set(options.channels);
  }

  get isConnected(): boolean {
    return this.client !== null;
  }

  /** Connects now and again after each loss, until `close`. Resolves after the first attempt, whether it failed or not. */
  keepConnected(): Promise<void> {
    return new Promise((resolve) => {
      void this.stayConnected(resolve);
    });
  }

  /**
   * Runs `work` when the work before it has ended, and connects first if necessary.
   * @throws what the database or the connection reports
   */
  use<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const turn = this.turn.then(() => this.runWork(work));
    this.turn = turn.catch(() => undefined);
    return turn;
  }

  /** Listens to one more channel, on this connection and on all later ones. */
  addChannel(channel: string): void {
    this.channels.add(channel);
    if (!this.client && !this.connecting) return;
    void this.use((client) => client.query(`LISTEN ${channel}`)).catch(() => undefined);
  }

  /** Ends the connection in good order. After `keepConnected`, a new one follows. */
  restart(): void {
    void this.client?.end().catch(() => undefined);
  }

  /** Resolves when all requested work has ended. */
  async idle(): Promise<void> {
    await this.turn;
  }

  async close(): Promise<void> {
    this.closed.abort();
    this.noteLoss();
    const { client } = this;
    this.client = null;
    await client?.end().catch(() => undefined);
  }

  private async stayConnected(onTried: () => void): Promise<void> {
    const { maxReconnectDelayMs: maxMs = MAX_RECONNECT_DELAY_MS } = this.options;
    const { signal } = this.closed;
    while (!signal.aborted) {
      await retry(() => this.connectOnce(), {
        signal,
        backoff: backoffBetween(MIN_RECONNECT_DELAY_MS, maxMs),
        onFailure: onTried,
      });
      onTried();
      await this.waitForLoss();
      await pause(backoffMs(1, MIN_RECONNECT_DELAY_MS, maxMs, Math.random()), [signal]);
    }
    onTried();
  }

  private waitForLoss(): Promise<void> {
    if (!this.client) return Promise.resolve();
    return new Promise((resolve) => (this.noteLoss = resolve));
  }

  private async runWork<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const client = await this.connectOnce();
    try {
      return await work(client);
    } catch (error) {
      if (this.options.endsOnError) this.dropClient(client);
      throw error;
    }
  }

  private async connectOnce(): Promise<Client> {
    if (this.client) return this.client;
    this.connecting ??= this.openClient().finally(() => (this.connecting = null));
    return this.connecting;
  }

  private async openClient(): Promise<Client> {
    const client = this.makeClient();
    const ending: { error: Error | null; hasEnded: boolean } = { error: null, hasEnded: false };
    client.on('error', (error) => (ending.error = error));
    client.once('end', () => {
      ending.hasEnded = true;
      this.noteEnd(client, ending.error);
    });
    client.on('notification', ({ channel, payload }) => this.options.onNotification?.(channel, payload ?? ''));
    try {
      await client.connect();
      for (const channel of this.channels) await client.query(`LISTEN ${channel}`);
      await this.options.prepare?.(client);
      if (ending.hasEnded || this.closed.signal.aborted) throw ending.error ?? new Error('The session has ended');
    } catch (error) {
      this.isFirst = false;
      void client.end().catch(() => undefined);
      throw error;
    }
    this.client = client;
    this.options.onConnected?.(this.isFirst);
    this.isFirst = false;
    return client;
  }

  private makeClient(): Client {
    const { name, connectTimeoutMs = CONNECT_TIMEOUT_MS, queryTimeoutMs } = this.options;
    return new Client({
      ...this.settings,
      application_name: name,
      keepAlive: true,
      connectionTimeoutMillis: connectTimeoutMs,
      ...(queryTimeoutMs !== undefined && { query_timeout: queryTimeoutMs }),
    });
  }

  /** Abandons the connection without waiting for its end, because the other side may be gone. */
  private dropClient(client: Client): void {
    this.noteEnd(client, null);
    void client.end().catch(() => undefined);
  }

  private noteEnd(client: Client, error: Error | null): void {
    if (this.client !== client) return;
    this.client = null;
    this.options.onLost?.(error);
    this.noteLoss();
  }
}

/** A PostgreSQL database whose listeners connect again by themselves. */
export abstract class PgDatabase extends Database {
  override openListener(options: ListenerOptions): NotificationListener {
    const session = new PgSession(this.settings, options);
    void session.keepConnected();
    return session;
  }
}
