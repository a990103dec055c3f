import { EventEmitter } from 'node:events';
import type { Pool } from 'pg';
import type { RecordedEvent } from '../../../kernel/events.js';
import type { DatabaseSettings } from '../../../ports/database.port.js';
import { PgSession } from '../../shared/pg-session.js';
import { type LogPage, readHead, readLog } from './read-log.js';

/** The name by which `pg_stat_activity` knows the listening connection. */
export const LISTENER_NAME = 'odst log listener';

const POLL_INTERVAL_MS = 1000;
/** While nothing tells of appends, the live latency must come from polling. */
const POLL_UNHEARD_INTERVAL_MS = 20;
/** Events kept for subscriptions that are not quite at the head; further back they read for themselves. */
const MAX_EVENTS = 512;

/** The end of the log, read once for all subscriptions of this process. */
export class LogTail {
  /** Tells of each append. While it is away, the log is polled more often. */
  private readonly listener: PgSession;
  private readonly moved = new EventEmitter().setMaxListeners(0);
  private recent: RecordedEvent[] = [];
  /** Everything in (start, end] is in `recent`: positions have no gaps. */
  private start = -1n;
  private end = -1n;
  private reading = false;
  private again = false;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    private readonly pool: Pool,
    settings: DatabaseSettings,
  ) {
    const heard = (): void => this.heard();
    this.listener = new PgSession(settings, {
      name: LISTENER_NAME,
      channels: ['odst_log'],
      maxReconnectDelayMs: 2_000,
      onNotification: heard,
      onConnected: heard,
      onLost: heard,
    });
    void this.listener.keepConnected();
    this.heard();
  }

  /** The events after a position, null when they are not all here and must be read. */
  after(position: bigint, types: ReadonlySet<string> | null): LogPage | null {
    if (position < this.start || this.end < 0n) return null;
    const fresh = this.recent.slice(Number(position - this.start));
    const events = types ? fresh.filter(({ type }) => types.has(type)) : fresh;
    return { events, upTo: position > this.end ? position : this.end, isCut: false };
  }

  /** Resolves when there is something after the position; also on the signal, and after `ms` milliseconds. */
  async beyond(position: bigint, signal: AbortSignal, ms?: number): Promise<void> {
    if (this.end > position || signal.aborted) return;
    const { promise, resolve } = withResolvers();
    const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
    this.moved.once('moved', resolve);
    signal.addEventListener('abort', resolve, { once: true });
    await promise;
    clearTimeout(timer);
    this.moved.off('moved', resolve);
    signal.removeEventListener('abort', resolve);
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await this.listener.close();
  }

  private heard(): void {
    clearTimeout(this.timer);
    if (this.closed) return;
    this.timer = setTimeout(
      () => this.heard(),
      this.listener.isConnected ? POLL_INTERVAL_MS : POLL_UNHEARD_INTERVAL_MS,
    );
    this.again = true;
    // When the database is away the next poll tries again.
    if (!this.reading) void this.read().catch(() => undefined);
  }

  private async read(): Promise<void> {
    this.reading = true;
    try {
      if (this.end < 0n) await this.begin();
      while (this.again && !this.closed) await this.readOn();
    } finally {
      this.reading = false;
    }
  }

  private async begin(): Promise<void> {
    this.start = this.end = await readHead(this.pool);
    this.moved.emit('moved');
  }

  private async readOn(): Promise<void> {
    this.again = false;
    const { events, upTo, isCut } = await readLog(this.pool, this.end);
    if (upTo === this.end) return;
    this.keep(events, upTo);
    // What was appended while this was read is told of, and polled for if that is lost.
    if (isCut) this.again = true;
    this.moved.emit('moved');
  }

  private keep(events: readonly RecordedEvent[], upTo: bigint): void {
    this.recent = [...this.recent, ...events].slice(-MAX_EVENTS);
    this.end = upTo;
    this.start = upTo - BigInt(this.recent.length);
  }
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
