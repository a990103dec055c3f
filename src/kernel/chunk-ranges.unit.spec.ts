import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { addRange, countChunks, missingRanges, removeRanges, splitRanges, type ChunkRange } from './chunk-ranges.js';

const TOTAL = 60;
const range = fc.record({ first: fc.nat(TOTAL - 1), count: fc.nat(12) }).map(({ first, count }) => ({
  first,
  count: Math.min(count, TOTAL - first),
}));

const indexes = (ranges: readonly ChunkRange[]): number[] =>
  ranges.flatMap(({ first, count }) => Array.from({ length: count }, (_, i) => first + i));

it('holds after any ranges, in any order, what a set of indexes would', () => {
  fc.assert(
    fc.property(fc.array(range), (added) => {
      const ranges = added.reduce<ChunkRange[]>((sum, one) => addRange(sum, one), []);
      const expected = [...new Set(indexes(added))].sort((a, b) => a - b);
      expect(indexes(ranges)).toEqual(expected);
      expect(countChunks(ranges)).toBe(expected.length);
      const missing = missingRanges(ranges, TOTAL);
      expect([...indexes(ranges), ...indexes(missing)].sort((a, b) => a - b)).toEqual(
        indexes([{ first: 0, count: TOTAL }]),
      );
    }),
  );
});

it('keeps ranges sorted, disjoint and as few as possible', () => {
  expect(
    addRange(
      [
        { first: 0, count: 2 },
        { first: 4, count: 2 },
      ],
      { first: 2, count: 2 },
    ),
  ).toEqual([{ first: 0, count: 6 }]);
});

it('finds what is missing in a window only', () => {
  expect(missingRanges([{ first: 2, count: 2 }], 10, { first: 1, count: 4 })).toEqual([
    { first: 1, count: 1 },
    { first: 4, count: 1 },
  ]);
});

it('takes chunks out of ranges', () => {
  const ranges = [
    { first: 0, count: 4 },
    { first: 6, count: 2 },
  ];
  expect(removeRanges(ranges, [{ first: 1, count: 2 }])).toEqual([
    { first: 0, count: 1 },
    { first: 3, count: 1 },
    { first: 6, count: 2 },
  ]);
  expect(removeRanges(ranges, [{ first: 3, count: 4 }])).toEqual([
    { first: 0, count: 3 },
    { first: 7, count: 1 },
  ]);
  expect(removeRanges(ranges, [{ first: 4, count: 2 }])).toEqual(ranges);
  expect(removeRanges(ranges, [{ first: 0, count: 9 }])).toEqual([]);
});

it('cuts ranges into pieces', () => {
  expect(splitRanges([{ first: 3, count: 5 }], 2)).toEqual([
    { first: 3, count: 2 },
    { first: 5, count: 2 },
    { first: 7, count: 1 },
  ]);
});
