import { array, assert, constantFrom, integer, property, record, subarray, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isWithinWindows, localTime, minutesOf, nextOpening, WEEKDAYS, type TimeWindow } from './transfer-policy.js';

/** In the time zone of the process, whichever it is. 2026-11-23 is a Monday. */
const monday = (hours: number, minutes = 0, days = 0): Date => new Date(2026, 10, 23 + days, hours, minutes);
const nights: TimeWindow = { days: ['MON', 'SUN'], from: '22:00', to: '06:00' };
const noon: TimeWindow = { days: ['TUE'], from: '12:00', to: '12:30' };

describe('a time of day', () => {
  it.each([
    ['00:00', 0],
    ['06:30', 390],
    ['24:00', 1440],
  ])('%s is minute %d', (time, minutes) => expect(minutesOf(time)).toBe(minutes));
  it.each(['24:01', '12:60', '7:00', '07:00:00', '', 'noon'])('"%s" is none', (time) =>
    expect(minutesOf(time)).toBeNull(),
  );
  it('is written as the server reads it', () => expect(localTime(monday(7, 5))).toBe('2026-11-23 07:05'));
});

describe('a window', () => {
  it('is open from its beginning up to and without its end', () => {
    const open = [
      [11, 59],
      [12, 0],
      [12, 29],
      [12, 30],
    ].map(([h = 0, m]) => isWithinWindows([noon], monday(h, m, 1)));
    expect(open).toEqual([false, true, true, false]);
    expect(isWithinWindows([noon], monday(12, 10))).toBe(false);
  });

  it('that ends before it begins goes on past midnight into the next day', () => {
    expect(isWithinWindows([nights], monday(22))).toBe(true);
    expect(isWithinWindows([nights], monday(5, 59, 1))).toBe(true);
    expect(isWithinWindows([nights], monday(6, 0, 1))).toBe(false);
    expect(isWithinWindows([nights], monday(23, 0, 1))).toBe(false);
    // The night from Sunday to Monday, over the end of the week.
    expect(isWithinWindows([nights], monday(3))).toBe(true);
    expect(isWithinWindows([nights], monday(3, 0, 2))).toBe(false);
  });

  it('can be a whole day', () => {
    const day: TimeWindow = { days: ['MON'], from: '00:00', to: '24:00' };
    expect([monday(0), monday(23, 59), monday(0, 0, 1)].map((now) => isWithinWindows([day], now))).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('none means always', () => {
    expect(isWithinWindows([], monday(3))).toBe(true);
    expect(nextOpening([], monday(3))).toBeNull();
  });
});

describe('the next opening', () => {
  it('is that of the first of all windows', () => {
    expect(nextOpening([nights, noon], monday(7))).toEqual(monday(22));
    expect(nextOpening([nights, noon], monday(7, 0, 1))).toEqual(monday(12, 0, 1));
    expect(nextOpening([nights, noon], monday(13, 0, 1))).toEqual(monday(22, 0, 6));
    expect(nextOpening([nights], monday(23))).toBeNull();
  });

  it('of a window that closed a moment ago is a week away', () => {
    expect(nextOpening([noon], monday(12, 30, 1))).toEqual(monday(12, 0, 8));
  });

  it('is the first minute at which it is open', () => {
    const time = tuple(integer({ min: 0, max: 23 }), integer({ min: 0, max: 59 })).map(([h, m]) =>
      localTime(monday(h, m)).slice(11),
    );
    const window = record({ days: subarray([...WEEKDAYS], { minLength: 1 }), from: time, to: time }).filter(
      ({ from, to }) => from !== to,
    );
    assert(
      property(
        array(window, { minLength: 1, maxLength: 3 }),
        integer({ min: 0, max: 7 * 1440 }),
        constantFrom(1, 59),
        (windows, minute, second) => {
          const now = new Date(2026, 10, 23, 0, minute, second);
          const at = nextOpening(windows, now);
          let expected = now;
          for (let later = minute + 1; !isWithinWindows(windows, expected); later++)
            expected = new Date(2026, 10, 23, 0, later);
          expect(at).toEqual(expected === now ? null : expected);
        },
      ),
      { numRuns: 50 },
    );
  });
});
