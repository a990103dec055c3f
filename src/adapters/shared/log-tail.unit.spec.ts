import { describe, expect, it, vi } from 'vitest';
import { eventAt, positions } from '../../../test/support/number-log.js';
import { LogTail } from './log-tail.js';

const at = (...places: readonly number[]) => places.map((place) => eventAt(place));
const cursorsOf = (page: { readonly events: readonly { readonly cursor: string }[] } | null) =>
  page?.events.map(({ cursor }) => Number(cursor));

/** A tail that began at 10 and has the events 11 to 13. */
function someTail(): LogTail<number> {
  const tail = new LogTail(positions);
  tail.beginAt(10);
  tail.extend(at(11, 12, 13), 13);
  return tail;
}

describe('the tail of a log', () => {
  it('has nothing before the head of the log is known', () => {
    const tail = new LogTail(positions);
    tail.extend(at(1), 1);
    expect(tail.end).toBeNull();
    expect(tail.eventsAfter(0, null)).toBeNull();
  });

  it('gives the events after a position, all or of some types', () => {
    const tail = someTail();
    expect(tail.end).toBe(13);
    expect(cursorsOf(tail.eventsAfter(10, null))).toEqual([11, 12, 13]);
    expect(tail.eventsAfter(11, null)).toMatchObject({ upTo: 13, looked: 2 });
    expect(tail.eventsAfter(10, new Set(['even']))).toMatchObject({ events: at(12), upTo: 13, looked: 3 });
    expect(tail.eventsAfter(13, null)).toEqual({ events: [], upTo: 13, looked: 0 });
  });

  it('leaves to the log what is older than its beginning', () => {
    expect(someTail().eventsAfter(9, null)).toBeNull();
  });

  it('has no events for a position behind its end, and keeps that position', () => {
    expect(someTail().eventsAfter(20, null)).toEqual({ events: [], upTo: 20, looked: 0 });
  });

  it('ends where the log was searched, also when the last events there are not for readers', () => {
    const tail = someTail();
    tail.extend([], 17);
    expect(tail.end).toBe(17);
    expect(tail.eventsAfter(13, null)).toEqual({ events: [], upTo: 17, looked: 0 });
  });

  it('keeps the last 512 events and forgets those before', () => {
    const tail = new LogTail(positions);
    tail.beginAt(0);
    tail.extend(at(...Array.from({ length: 600 }, (_, i) => i + 1)), 600);
    tail.extend(at(601), 601);
    expect(tail.eventsAfter(88, null)).toBeNull();
    expect(tail.eventsAfter(89, null)?.events).toHaveLength(512);
  });
});

describe('waiting at the tail', () => {
  const never = new AbortController().signal;

  it('ends at once when there is something, or when the signal is aborted', async () => {
    await someTail().waitBeyond(12, never);
    await someTail().waitBeyond(null, never);
    await someTail().waitBeyond(13, AbortSignal.abort());
  });

  it.each<[string, (tail: LogTail<number>, stop: AbortController) => void, number?]>([
    ['the tail moves', (tail) => tail.extend(at(14), 14)],
    ['the signal is aborted', (_, stop) => stop.abort()],
    ['the time is over', () => undefined, 20],
  ])('ends when %s', async (_, act, ms) => {
    const tail = someTail();
    const stop = new AbortController();
    const ended = vi.fn<() => void>();
    const waiting = tail.waitBeyond(13, stop.signal, ms).then(ended);
    await Promise.resolve();
    expect(ended).not.toHaveBeenCalled();
    act(tail, stop);
    await waiting;
  });

  it('ends when the head of the log is found', async () => {
    const tail = new LogTail(positions);
    const waiting = tail.waitBeyond(null, never);
    tail.beginAt(0);
    await waiting;
  });
});
