import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { addRange, countChunks, missingRanges, removeRanges, splitRanges, type ChunkRange } from './chunk-ranges.js';

const TOTAL = 60;
const run = fc.record({ first: fc.nat(TOTAL - 1), count: fc.nat(12) }).map(({ first, count }) => ({
  first,
  count: Math.min(count, TOTAL - first),
}));

const indexes = (runs: readonly ChunkRange[]): number[] =>
  runs.flatMap(({ first, count }) => Array.from({ length: count }, (_, i) => first + i));

it('holds after any runs, in any order, what a set of indexes would', () => {
  fc.assert(
    fc.property(fc.array(run), (added) => {
      const runs = added.reduce<ChunkRange[]>((sum, one) => addRange(sum, one), []);
      const expected = [...new Set(indexes(added))].sort((a, b) => a - b);
      expect(indexes(runs)).toEqual(expected);
      expect(countChunks(runs)).toBe(expected.length);
      const missing = missingRanges(runs, TOTAL);
      expect([...indexes(runs), ...indexes(missing)].sort((a, b) => a - b)).toEqual(
        indexes([{ first: 0, count: TOTAL }]),
      );
    }),
  );
});

it('keeps runs sorted, disjoint and as few as possible', () => {
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

it('takes chunks out of runs', () => {
  const runs = [
    { first: 0, count: 4 },
    { first: 6, count: 2 },
  ];
  expect(removeRanges(runs, [{ first: 1, count: 2 }])).toEqual([
    { first: 0, count: 1 },
    { first: 3, count: 1 },
    { first: 6, count: 2 },
  ]);
  expect(removeRanges(runs, [{ first: 3, count: 4 }])).toEqual([
    { first: 0, count: 3 },
    { first: 7, count: 1 },
  ]);
  expect(removeRanges(runs, [{ first: 4, count: 2 }])).toEqual(runs);
  expect(removeRanges(runs, [{ first: 0, count: 9 }])).toEqual([]);
});

it('cuts runs into pieces', () => {
  expect(splitRanges([{ first: 3, count: 5 }], 2)).toEqual([
    { first: 3, count: 2 },
    { first: 5, count: 2 },
    { first: 7, count: 1 },
  ]);
});
