import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { EventHeap } from './event-heap.js';

it('gives events by time, and those of one time in the order they came in', () => {
  const times = fc.array(fc.nat(20), { maxLength: 3_000 });
  fc.assert(
    fc.property(times, times, (first, second) => {
      const heap = new EventHeap();
      const taken: [number, number][] = [];
      first.forEach((at, i) => heap.put(at, 0, i, 0));
      for (let i = 0; i < first.length / 2; i++) heap.take();
      const left = first
        .map((at, i) => [at, i] as const)
        .sort((a, b) => a[0] - b[0] || a[1] - b[1])
        .slice(Math.ceil(first.length / 2));
      second.forEach((at, i) => heap.put(at, 0, first.length + i, 0));
      while (heap.take()) taken.push([heap.at, heap.subject]);
      const all = [...left, ...second.map((at, i) => [at, first.length + i] as const)];
      expect(taken).toEqual(all.sort((a, b) => a[0] - b[0] || a[1] - b[1]));
    }),
    { numRuns: 50 },
  );
}, 60_000);
