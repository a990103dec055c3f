import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { HybridClock, isStamp, laterStamp, MAX_AHEAD_MS, stampMs } from './hybrid-clock.js';

const NOW = Date.UTC(2026, 0, 1);

it('gives out ever later stamps, also while the wall clock stands still or goes back', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -5_000, max: 5_000 }), { maxLength: 100 }), (steps) => {
      let wall = NOW;
      const clock = new HybridClock('a', () => wall);
      let last = clock.nextStamp();
      for (const step of steps) {
        wall += step;
        const next = clock.nextStamp();
        expect(next > last).toBe(true);
        expect(isStamp(next)).toBe(true);
        last = next;
      }
    }),
  );
});

it('outlives 65,536 stamps within one millisecond', () => {
  const clock = new HybridClock('a', () => NOW);
  let last = '';
  for (let i = 0; i < 70_000; i++) {
    const next = clock.nextStamp();
    if (next <= last) throw new Error(`${next} is not later than ${last}`);
    last = next;
  }
  expect(stampMs(last)).toBe(NOW + 1);
});

const AHEAD_MS = MAX_AHEAD_MS - 1_000;
const stampOfLiar = (ms = NOW + AHEAD_MS) => new HybridClock('b', () => ms).nextStamp();

it('follows the stamps that it is given, and has its own time in all others', () => {
  const clock = new HybridClock('a', () => NOW);
  const liar = stampOfLiar();
  expect(clock.nextStamp([null, liar, stampOfLiar(NOW)]) > liar).toBe(true);
  expect(stampMs(clock.nextStamp())).toBe(NOW);
  expect(stampMs(clock.nextStamp([stampOfLiar(NOW - 5_000), null]))).toBe(NOW);
});

it('follows a stamp of the last counter of its millisecond', () => {
  const last = stampOfLiar().replace(/-0000-/, '-ffff-');
  const stamp = new HybridClock('a', () => NOW).nextStamp([last]);
  expect([stamp > last, stampMs(stamp)]).toEqual([true, NOW + AHEAD_MS + 1]);
});

it('never issues one stamp twice, whatever it follows and whatever its wall clock does', () => {
  const step = fc.record({
    wall: fc.integer({ min: -20, max: 20 }),
    follows: fc.option(fc.integer({ min: -30, max: 30 }), { nil: null }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      let wall = NOW;
      const clock = new HybridClock('a', () => wall);
      const issued = new Set<string>();
      for (const { wall: moved, follows } of steps) {
        wall += moved;
        const after = follows === null ? null : stampOfLiar(NOW + follows);
        const stamp = clock.nextStamp([after]);
        expect(issued.has(stamp)).toBe(false);
        expect(stamp > (after ?? '')).toBe(true);
        issued.add(stamp);
      }
    }),
  );
});

it('tells stamps that are too far ahead', () => {
  const clock = new HybridClock('a', () => NOW);
  const stampAt = (ms: number) => new HybridClock('b', () => ms).nextStamp();
  expect(clock.isTooFarAhead(stampAt(NOW + MAX_AHEAD_MS))).toBe(false);
  expect(clock.isTooFarAhead(stampAt(NOW + MAX_AHEAD_MS + 1))).toBe(true);
});

it('orders null before every stamp', () => {
  const stamp = new HybridClock('a', () => NOW).nextStamp();
  expect(laterStamp(null, stamp)).toBe(stamp);
  expect(laterStamp(stamp, null)).toBe(stamp);
  expect(laterStamp(null, null)).toBeNull();
});
