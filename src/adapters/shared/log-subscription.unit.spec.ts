import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventAt, positions } from '../../../test/support/number-log.js';
import type { SubscribeOptions, SubscriptionItem } from '../../ports/event-store.port.js';
import { type HistoryRange, type LogSource, subscribeToLog } from './log-subscription.js';
import { type LogPage, LogTail } from './log-tail.js';

const PAGE_EVENTS = 10;
const away = new Error('away');

/** A log of the events 1 to `head`, which can be away, and whose tail is moved by the test. */
class NumberLog implements LogSource<number> {
  readonly tail = new LogTail(positions);
  failures = 0;

  constructor(public head: number) {
    this.tail.beginAt(head);
  }

  /** Appends events, of which the tail hears at once. */
  append(count: number): void {
    const events = Array.from({ length: count }, (_, i) => eventAt(this.head + i + 1));
    this.head += count;
    this.tail.extend(events, this.head);
  }

  async readHead(): Promise<number> {
    this.failSometimes();
    return this.head;
  }

  async *readHistory({ after, target, types }: HistoryRange<number>): AsyncGenerator<LogPage<number>> {
    for (let position = after; position < target; position += PAGE_EVENTS) {
      this.failSometimes();
      const upTo = Math.min(position + PAGE_EVENTS, this.head);
      const events = Array.from({ length: upTo - position }, (_, i) => eventAt(position + i + 1));
      yield { events: types ? events.filter(({ type }) => types.has(type)) : events, upTo, looked: upTo - position };
    }
  }

  isTemporary(error: unknown): boolean {
    return error === away;
  }

  private failSometimes(): void {
    if (this.failures > 0) {
      this.failures -= 1;
      throw away;
    }
  }
}

/** Reads a subscription in the background, and notes what it says. */
function follow(log: NumberLog, options: Partial<SubscribeOptions> = {}) {
  const items: SubscriptionItem[] = [];
  const stop = new AbortController();
  const ended = (async () => {
    for await (const item of subscribeToLog(log, { after: null, signal: stop.signal, ...options })) items.push(item);
  })();
  const cursors = (): number[] =>
    items.flatMap((item) => (item.kind === 'events' ? item.events.map(({ cursor }) => Number(cursor)) : []));
  const kinds = (): string[] => items.map(({ kind, cursor }) => `${kind} ${cursor}`);
  return { cursors, kinds, stop: () => stop.abort(), ended };
}
const upTo = (last: number, first = 1): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a subscription to a log', () => {
  it('reads the history, says once that it has caught up, and goes on live', async () => {
    const log = new NumberLog(25);
    const reader = follow(log);
    await vi.advanceTimersByTimeAsync(0);
    expect(reader.kinds()).toEqual(['events 10', 'events 20', 'events 25', 'caughtUp 25']);
    log.append(2);
    await vi.advanceTimersByTimeAsync(0);
    log.append(1);
    await vi.advanceTimersByTimeAsync(0);
    expect(reader.cursors()).toEqual(upTo(28));
    reader.stop();
    await reader.ended;
  });

  it('goes on after a cursor', async () => {
    const log = new NumberLog(25);
    const reader = follow(log, { after: '22' });
    await vi.advanceTimersByTimeAsync(0);
    expect(reader.kinds()).toEqual(['events 25', 'caughtUp 25']);
    reader.stop();
    await reader.ended;
  });

  it('misses and repeats nothing when the log is away again and again', async () => {
    const log = new NumberLog(45);
    log.failures = 3;
    const reader = follow(log);
    await vi.advanceTimersByTimeAsync(1_000);
    log.failures = 2;
    log.append(700);
    log.append(1);
    await vi.advanceTimersByTimeAsync(5_000);
    reader.stop();
    await reader.ended;
    expect(reader.cursors()).toEqual(upTo(746));
  });

  it('reads from the log what a slow reader has missed of the tail', async () => {
    const log = new NumberLog(0);
    const reader: AsyncGenerator<SubscriptionItem> = subscribeToLog(log, {
      after: null,
      signal: new AbortController().signal,
    });
    expect(await reader.next()).toMatchObject({ value: { kind: 'caughtUp' } });
    for (let i = 0; i < 600; i++) log.append(1);
    const cursors: string[] = [];
    while (cursors.length < 600) {
      const { value } = await reader.next();
      if (value?.kind === 'events') for (const { cursor } of value.events) cursors.push(cursor);
    }
    expect(cursors.map(Number)).toEqual(upTo(600));
    await reader.return(undefined);
  });

  it('tells of progress over events of no interest: by their number in the history, by time when live', async () => {
    const log = new NumberLog(2_500);
    const reader = follow(log, { types: ['none of these'] });
    await vi.advanceTimersByTimeAsync(0);
    expect(reader.kinds()).toEqual(['checkpoint 1000', 'checkpoint 2000', 'caughtUp 2500']);
    log.append(3);
    await vi.advanceTimersByTimeAsync(900);
    expect(reader.kinds()).toHaveLength(3);
    await vi.advanceTimersByTimeAsync(200);
    expect(reader.kinds().at(-1)).toBe('checkpoint 2503');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(reader.kinds()).toHaveLength(4);
    reader.stop();
    await reader.ended;
  });

  it('waits for a log that was away when the subscription began', async () => {
    const log = new NumberLog(5);
    log.failures = 4;
    const reader = follow(log);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(reader.kinds()).toEqual(['events 5', 'caughtUp 5']);
    reader.stop();
    await reader.ended;
  });

  it('ends with an error that is not temporary', async () => {
    const log = new NumberLog(5);
    vi.spyOn(log, 'readHead').mockRejectedValue(new Error('no such table'));
    await expect(follow(log).ended).rejects.toThrow('no such table');
  });

  it('says nothing when it is stopped before the log can be reached', async () => {
    const log = new NumberLog(5);
    log.failures = 1_000;
    const reader = follow(log);
    await vi.advanceTimersByTimeAsync(500);
    reader.stop();
    await reader.ended;
    expect(reader.kinds()).toEqual([]);
  });
});
