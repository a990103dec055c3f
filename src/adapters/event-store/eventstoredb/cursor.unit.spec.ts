import { describe, expect, it } from 'vitest';
import { BEGINNING, comparePositions, cursorOf, positionOf } from './cursor.js';

describe('cursors of EventStoreDB', () => {
  it('are commit and prepare position', () => {
    const position = { commit: 2n ** 64n - 1n, prepare: 7n };
    expect(cursorOf(position)).toBe('18446744073709551615/7');
    expect(positionOf(cursorOf(position))).toEqual(position);
    expect(positionOf(null)).toEqual(BEGINNING);
  });

  it('stand in the order of commit, then prepare', () => {
    const sorted = ['0/0', '9/9', '10/2', '10/10', '18446744073709551615/0'].map(positionOf);
    expect(sorted.toReversed().toSorted(comparePositions)).toEqual(sorted);
    expect(comparePositions(positionOf('1/1'), positionOf('1/1'))).toBe(0);
  });

  it.each(['', '5', '1/', '/1', '01/1', '-1/0', '1/1 ', '1/18446744073709551616'])('are not: %j', (text) => {
    expect(() => positionOf(text)).toThrow(expect.objectContaining({ code: 'INVALID_CURSOR' }));
  });
});
