import type { Pool } from 'pg';
import type { DatabaseSettings } from '../../../ports/database.port.js';
import type { LogTail } from '../../shared/log-tail.js';
import { PgSession } from '../../shared/pg-session.js';
import { readHead, readLog } from './read-log.js';

/** The name by which `pg_stat_activity` knows the listening connection. */
const LISTENER_NAME = 'odst log listener';

const POLL_INTERVAL_MS = 1000;
/** While no notifications arrive, polling must keep the latency of live events low. */
const POLL_UNHEARD_INTERVAL_MS = 20;

/**
 * Follows the end of the log for all subscriptions of this process: it reads when a notification tells of an append, and
 * polls, since notifications may be lost.
 */
export class LogFollower {
  private readonly listener: PgSession;
  private isReading = false;
  private mustReadAgain = false;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    private readonly pool: Pool,
    settings: DatabaseSettings,
    private readonly tail: LogTail<bigint>,
  ) {
    const readSoon = (): void => this.readSoon();
    this.listener = new PgSession(settings, {
      name: LISTENER_NAME,
      channels: ['odst_log'],
      maxReconnectDelayMs: 2_000,
      onNotification: readSoon,
      // Notifications of appends may have been lost before each of these moments.
      onConnected: readSoon,
      onLost: readSoon,
    });
    void this.listener.keepConnected();
    this.readSoon();
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await this.listener.close();
  }

  /** Reads now, or once more after the read under way, and again after the polling interval. */
  private readSoon(): void {
    clearTimeout(this.timer);
    if (this.closed) return;
    const intervalMs = this.listener.isConnected ? POLL_INTERVAL_MS : POLL_UNHEARD_INTERVAL_MS;
    this.timer = setTimeout(() => this.readSoon(), intervalMs);
    this.mustReadAgain = true;
    // When the database is away, the next poll tries again.
    if (!this.isReading) void this.readToHead().catch(() => undefined);
  }

  private async readToHead(): Promise<void> {
    this.isReading = true;
    try {
      if (this.tail.end === null) this.tail.beginAt(await readHead(this.pool));
      while (this.mustReadAgain && !this.closed) await this.readPage(this.tail.end ?? 0n);
    } finally {
      this.isReading = false;
    }
  }

  private async readPage(after: bigint): Promise<void> {
    this.mustReadAgain = false;
    const { events, upTo, isCut } = await readLog(this.pool, after, null);
    if (upTo === after) return;
    this.tail.extend(events, upTo);
    // A notification announces the events that were appended during this read. If it is lost, polling finds them.
    if (isCut) this.mustReadAgain = true;
  }
}
