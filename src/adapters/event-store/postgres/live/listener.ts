import { Client } from 'pg';
import { backoffMs } from '../../../../kernel/retry.js';
import type { DatabaseSettings } from '../../../../ports/database.port.js';

/** The name by which `pg_stat_activity` knows the listening connection. */
export const LISTENER_NAME = 'odst log listener';

/** The one connection of this process that hears of appends. Comes back by itself when it is lost. */
export class LogListener {
  private client: Client | null = null;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    private readonly settings: DatabaseSettings,
    /** Called after each append, and when appends may have gone unheard. */
    private readonly onAppend: () => void,
  ) {
    void this.connect(1);
  }

  /** While it does not listen, the log must be polled. */
  get isListening(): boolean {
    return this.client !== null;
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await this.client?.end().catch(() => undefined);
  }

  private async connect(attempt: number): Promise<void> {
    const client = new Client({
      ...this.settings,
      application_name: LISTENER_NAME,
      keepAlive: true,
      connectionTimeoutMillis: 5000,
    });
    client.on('error', () => undefined);
    client.on('notification', this.onAppend);
    try {
      await client.connect();
      await client.query('LISTEN odst_log');
      client.once('end', () => this.lost());
      this.client = client;
      this.onAppend();
      if (this.closed) await client.end();
    } catch {
      void client.end().catch(() => undefined);
      this.reconnect(attempt);
    }
  }

  private lost(): void {
    this.client = null;
    this.onAppend();
    this.reconnect(1);
  }

  private reconnect(attempt: number): void {
    if (this.closed) return;
    this.timer = setTimeout(() => void this.connect(attempt + 1), backoffMs(attempt, 50, 2000, Math.random()));
  }
}
