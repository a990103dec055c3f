import { EventEmitter } from 'node:events';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { Client } from 'pg';
import { backoffMs } from '../../kernel/retry.js';
import { Database } from '../../ports/database.port.js';

/**
 * One connection that LISTENs for the whole process. Notifications are hints: while the connection is away they are
 * lost, so `onReconnect` tells when it was.
 */
@Injectable()
export class PgListener implements OnApplicationShutdown {
  private readonly logger = new Logger('PgListener');
  private readonly emitter = new EventEmitter().setMaxListeners(0);
  private readonly channels = new Set<string>();
  private client: Client | null = null;
  private stopped = false;

  constructor(private readonly database: Database) {
    void this.connect(1);
  }

  listen(channel: string, listener: (payload: string) => void): void {
    this.emitter.on(`on ${channel}`, listener);
    this.channels.add(channel);
    void this.client?.query(`LISTEN ${channel}`).catch(() => undefined);
  }

  onReconnect(listener: () => void): () => void {
    this.emitter.on('reconnect', listener);
    return () => this.emitter.off('reconnect', listener);
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopped = true;
    await this.client?.end().catch(() => undefined);
  }

  private async connect(attempt: number): Promise<void> {
    if (this.stopped) return;
    const client = new Client({ ...this.database.settings, application_name: 'odst listener', keepAlive: true });
    client.on('error', (error) => this.logger.warn(`The listening connection was lost: ${error.message}`));
    client.on('notification', ({ channel, payload }) => this.emitter.emit(`on ${channel}`, payload ?? ''));
    try {
      await client.connect();
      client.on('end', () => this.reconnect());
      for (const channel of this.channels) await client.query(`LISTEN ${channel}`);
      this.client = client;
      if (attempt > 1) this.emitter.emit('reconnect');
    } catch {
      client.end().catch(() => undefined);
      setTimeout(() => void this.connect(attempt + 1), backoffMs(attempt, 50, 5_000, Math.random())).unref();
    }
  }

  private reconnect(): void {
    this.client = null;
    void this.connect(2);
  }
}
