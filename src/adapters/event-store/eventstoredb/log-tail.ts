import { EventEmitter } from 'node:events';
import type { RecordedEvent } from '../../../kernel/events.js';
import { backoffBetween, retry } from '../../../kernel/retry.js';
import type { LogClient } from './log-client.js';
import type { OutageReporter } from './connection.js';
import { isAfter, positionOf, type Position } from './cursor.js';
import { readHead, type LogPage } from './read-log.js';
import { readFeed } from './feed.js';

/** Events kept for subscriptions that are not quite at the head; further back they read for themselves. */
const MAX_EVENTS = 512;
const MIN_RECONNECT_DELAY_MS = 20;
const MAX_RECONNECT_DELAY_MS = 2_000;

interface Placed {
  readonly event: RecordedEvent;
  readonly position: Position;
}

/** The server ended the feed without an error, as it may at any time. */
class FeedEnded extends Error {}

/** The end of the log, read once for all subscriptions of this process. */
export class LogTail {
  private readonly moved = new EventEmitter().setMaxListeners(0);
  private recent: Placed[] = [];
  /** Every event in (start, end] is in `recent`; null before the head was found. */
  private range: { readonly start: Position; readonly end: Position } | null = null;
  /** How far the server has looked: the end, or behind it. */
  private looked: Position | null = null;
  private following: Promise<void> | null = null;

  constructor(
    private readonly client: LogClient,
    private readonly stopped: AbortSignal,
    private readonly trouble: OutageReporter,
  ) {}

  /** Position of the last event that was seen, null before the log could be reached. */
  get end(): Position | null {
    return this.range?.end ?? null;
  }

  /** Begins to follow the log, once. */
  start(): void {
    this.following ??= this.follow();
  }

  /** The events after a position, null when they are not all here and must be read. */
  after(position: Position, types: ReadonlySet<string> | null): LogPage | null {
    if (!this.range || isAfter(this.range.start, position)) return null;
    const { end } = this.range;
    // Nearly always only the last few are new.
    const known = this.recent.findLastIndex((placed) => !isAfter(placed.position, position));
    const fresh = this.recent.slice(known + 1).map(({ event }) => event);
    const events = types ? fresh.filter(({ type }) => types.has(type)) : fresh;
    return { events, upTo: isAfter(position, end) ? position : end, looked: fresh.length };
  }

  /** Resolves when there is something after the position; also on the signal, and after `ms` milliseconds. */
  async beyond(position: Position | null, signal: AbortSignal, ms?: number): Promise<void> {
    if (signal.aborted || (this.range && (!position || isAfter(this.range.end, position)))) return;
    let timer: NodeJS.Timeout | undefined;
    let stop = (): void => undefined;
    await new Promise<void>((resolve) => {
      stop = () => resolve();
      if (ms !== undefined) timer = setTimeout(stop, ms);
      this.moved.once('moved', stop);
      signal.addEventListener('abort', stop, { once: true });
    });
    clearTimeout(timer);
    this.moved.off('moved', stop);
    signal.removeEventListener('abort', stop);
  }

  async close(): Promise<void> {
    await this.following;
  }

  /** Goes on where it was whenever the connection ends, in whatever way. */
  private async follow(): Promise<void> {
    await retry((noteSuccess) => this.readFeedToEnd(noteSuccess), {
      signal: this.stopped,
      backoff: backoffBetween(MIN_RECONNECT_DELAY_MS, MAX_RECONNECT_DELAY_MS),
      onFailure: (error) => {
        if (!(error instanceof FeedEnded)) this.trouble.reportLost(error);
      },
    });
  }

  private async readFeedToEnd(noteSuccess: () => void): Promise<never> {
    const after = this.looked ?? (await this.begin());
    for await (const page of readFeed(this.client, { after, types: null, signal: this.stopped, quietMs: null })) {
      noteSuccess();
      this.trouble.reportRestored();
      this.keep(page);
    }
    throw new FeedEnded();
  }

  private async begin(): Promise<Position> {
    const { head } = await readHead(this.client, null, this.stopped);
    this.range = { start: head, end: head };
    this.looked = head;
    this.moved.emit('moved');
    return head;
  }

  private keep({ events, upTo }: LogPage): void {
    this.looked = upTo;
    if (!this.range || events.length === 0) return;
    const all = [...this.recent, ...events.map((event) => ({ event, position: positionOf(event.cursor) }))];
    this.recent = all.slice(-MAX_EVENTS);
    const start = all.at(-MAX_EVENTS - 1)?.position ?? this.range.start;
    this.range = { start, end: this.recent.at(-1)?.position ?? start };
    this.moved.emit('moved');
  }
}
