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

it('goes on after a stamp that it observed from a server whose clock is ahead', () => {
  const ahead = new HybridClock('b', () => NOW + 60_000).nextStamp();
  const clock = new HybridClock('a', () => NOW);
  clock.observeStamp(ahead);
  expect(clock.nextStamp() > ahead).toBe(true);
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
