import { describe, expect, it } from 'vitest';
import { type FetchUnderWay, pickRange, shouldAbandon, type Source } from './source-choice.js';
import { OPEN_POLICY } from '../../../kernel/transfer-policy.js';

const MIB = 1024 * 1024;
const range = { first: 0, count: 16 };
const source = (more: Partial<Source> = {}): Source => ({
  peerId: 'p',
  whole: true,
  downstream: false,
  contact: { peerId: 'p', name: 'P', url: 'http://x', publicKey: 'k', suspended: false, policy: OPEN_POLICY },
  known: [{ first: 0, count: 200 }],
  rejected: false,
  usable: true,
  rate: 16 * MIB,
  running: 0,
  ...more,
});
const way = (more: Partial<FetchUnderWay>): FetchUnderWay => ({
  range,
  total: 16 * MIB,
  received: MIB,
  elapsedMs: 2_500,
  silentMs: 0,
  ...more,
});

describe('a range is given to another source', () => {
  it('when it stalls, or would take far longer than there', () => {
    expect(shouldAbandon(way({ silentMs: 3_000 }), [source({ rate: null })])).toBe('stalled');
    expect(shouldAbandon(way({}), [source()])).toBe('slow');
    expect(shouldAbandon(way({ elapsedMs: 1_900 }), [source()])).toBeNull();
    expect(shouldAbandon(way({ received: 8 * MIB }), [source()])).toBeNull();
    expect(shouldAbandon(way({}), [source({ rate: null })])).toBeNull();
  });

  it('never when no other that has it can be asked', () => {
    const others = [
      source({ usable: false }),
      source({ rejected: true }),
      source({ known: [{ first: 0, count: 15 }] }),
    ];
    expect(shouldAbandon(way({ silentMs: 60_000 }), others)).toBeNull();
  });
});

describe('which range of a lane comes first', () => {
  const ranges = [0, 96, 192].map((first) => ({ first, count: 8 }));
  const part = (first: number, count: number) => source({ whole: false, known: [{ first, count }] });
  const picked = (sources: Source[], place = 0.4) => pickRange(ranges, sources, 200, place)?.first;

  it('is the next one from a source that has all, elsewhere for each server when others fetch it, too', () => {
    expect(picked([source()])).toBe(0);
    expect(picked([source(), part(0, 8)])).toBe(96);
    expect(picked([source(), part(0, 8)], 0.99)).toBe(0);
    expect(picked([source(), { ...part(0, 8), downstream: true }])).toBe(0);
  });

  it('is one that can be had, when no source has all: whole, or at least its beginning', () => {
    expect(picked([part(192, 8), part(96, 2)])).toBe(192);
    expect(picked([part(96, 2)])).toBe(96);
    expect(picked([part(0, 0)])).toBe(0);
    expect(pickRange([], [source()], 200, 0)).toBeUndefined();
  });
});
