import { EventEmitter } from 'node:events';
import type { RecordedEvent } from '../../kernel/events.js';

/** The number of events that are kept for subscriptions that are a little behind the head. Subscriptions that are further behind read the log themselves. */
const MAX_EVENTS = 512;

/** The places of a log: their order, and how they are written as cursors. */
export interface Positions<Position> {
  /** The position of a cursor; null stands before the first event. @throws Refusal INVALID_CURSOR */
  parse(cursor: string | null): Position;
  format(position: Position): string;
  /** Negative, zero or positive, as for `Array.sort`. */
  compare(a: Position, b: Position): number;
}

/** Events after a position. */
export interface LogPage<Position> {
  readonly events: readonly RecordedEvent[];
  /** Every wanted event up to this position is on this page or an earlier one. */
  readonly upTo: Position;
  /** The number of events that were looked at, wanted or not, as far as it is known. */
  readonly looked: number;
}

interface PlacedEvent<Position> {
  readonly event: RecordedEvent;
  readonly position: Position;
}

/** The last events of a log, which an engine reads once for all subscriptions of the process. */
export class LogTail<Position> {
  private readonly moved = new EventEmitter().setMaxListeners(0);
  private recent: readonly PlacedEvent<Position>[] = [];
  /** Every event in (start, end] is in `recent`; null before the head is known. */
  private range: { readonly start: Position; readonly end: Position } | null = null;

  constructor(readonly positions: Positions<Position>) {}

  /** The position up to which the tail is complete; null before the log could be reached. */
  get end(): Position | null {
    return this.range?.end ?? null;
  }

  /** Begins at the head of the log. */
  beginAt(head: Position): void {
    this.range = { start: head, end: head };
    this.moved.emit('moved');
  }

  /** Adds all events after `end`, up to a new end. */
  extend(events: readonly RecordedEvent[], end: Position): void {
    if (!this.range) return;
    const all = [...this.recent, ...events.map((event) => ({ event, position: this.positions.parse(event.cursor) }))];
    this.recent = all.slice(-MAX_EVENTS);
    this.range = { start: all.at(-MAX_EVENTS - 1)?.position ?? this.range.start, end };
    this.moved.emit('moved');
  }

  /** The events after a position; null if they are no longer here, or not yet, and must be read from the log. */
  eventsAfter(position: Position, types: ReadonlySet<string> | null): LogPage<Position> | null {
    if (!this.range || this.isAfter(this.range.start, position)) return null;
    const { end } = this.range;
    // Nearly always only the last few are new.
    const known = this.recent.findLastIndex((placed) => !this.isAfter(placed.position, position));
    const fresh = this.recent.slice(known + 1).map(({ event }) => event);
    const events = types ? fresh.filter(({ type }) => types.has(type)) : fresh;
    return { events, upTo: this.isAfter(position, end) ? position : end, looked: fresh.length };
  }

  /**
   * Resolves when there is something after the position, or anything if it is null; also when the signal is aborted, and
   * after `ms` milliseconds if they are given.
   */
  async waitBeyond(position: Position | null, signal: AbortSignal, ms?: number): Promise<void> {
    if (signal.aborted || (this.range && (position === null || this.isAfter(this.range.end, position)))) return;
    let timer: NodeJS.Timeout | undefined;
    let wake = (): void => undefined;
    await new Promise<void>((resolve) => {
      wake = () => resolve();
      if (ms !== undefined) timer = setTimeout(wake, ms);
      this.moved.once('moved', wake);
      signal.addEventListener('abort', wake, { once: true });
    });
    clearTimeout(timer);
    this.moved.off('moved', wake);
    signal.removeEventListener('abort', wake);
  }

  private isAfter(a: Position, b: Position): boolean {
    return this.positions.compare(a, b) > 0;
  }
}
