import { describe, expect, it } from 'vitest';
import { findDifferingBuckets, stagesOfBoth, type InventoryEntry } from '../read-model/inventory.query.js';
import { compareEntries } from './compare-entries.js';

const entry = (change: Partial<InventoryEntry> = {}): InventoryEntry => ({
  packageId: 'p',
  stage: 'Prod',
  stageStamp: '2',
  publication: '2',
  removal: null,
  firstPublishedAt: 100,
  held: true,
  ...change,
});
const verdict = (ours: InventoryEntry | null, theirs: InventoryEntry | null) =>
  compareEntries(ours ? [ours] : [], theirs ? [theirs] : [], ['Prod']);
const nothing = { toLearn: [], toTeach: [] };
const learn = { toLearn: ['p'], toTeach: [] };
const teach = { toLearn: [], toTeach: ['p'] };

describe('what two servers know of a package', () => {
  it.each([
    ['is the same', entry(), entry(), nothing],
    ['is newer there by its publication', entry(), entry({ publication: '3' }), learn],
    ['is newer there by its stage', entry(), entry({ stageStamp: '3', stage: 'Dev', held: false }), learn],
    ['is newer there by its removal', entry(), entry({ removal: '3', held: false }), learn],
    ['was first published earlier there', entry(), entry({ firstPublishedAt: 99 }), learn],
    ['is newer here', entry({ publication: '3' }), entry(), teach],
    ['was removed here', entry({ removal: '3', held: false }), entry(), teach],
    [
      'was removed on both, at different times',
      entry({ removal: '3', held: false }),
      entry({ removal: '4', held: false }),
      nothing,
    ],
    [
      'is partly newer on each',
      entry({ publication: '3' }),
      entry({ stageStamp: '3' }),
      { toLearn: ['p'], toTeach: ['p'] },
    ],
  ])('%s', (_, ours, theirs, expected) => expect(verdict(ours, theirs)).toEqual(expected));
});

describe('a copy on the peer', () => {
  it.each([
    ['of a package unknown here is news', null, entry(), learn],
    ['is no news when the package is not for both', null, entry({ stage: 'Test' }), nothing],
    ['is no news when the package was removed', null, entry({ removal: '3' }), nothing],
    ['that is not whole is no news', null, entry({ held: false }), nothing],
    ['was not reported', entry({ held: false }), entry(), learn],
    ['is gone without a report', entry(), entry({ held: false }), learn],
    ['cannot be when the peer does not know the package', entry(), null, learn],
    ['is not missed where it never was', entry({ held: false }), null, nothing],
  ])('%s', (_, ours, theirs, expected) => expect(verdict(ours, theirs)).toEqual(expected));
});

describe('inventories', () => {
  it('cover the stages that both servers take', () => {
    expect(stagesOfBoth('Dev', 'Test')).toEqual(['Test', 'Prod']);
    expect(stagesOfBoth('Prod', 'Dev')).toEqual(['Prod']);
    expect(stagesOfBoth('Dev', 'Dev')).toEqual(['Dev', 'Test', 'Prod']);
  });

  it('differ in the buckets whose digests differ', () => {
    const same = Array.from({ length: 256 }, (_, i) => ({ registers: `r${i}`, held: `h${i}` }));
    const other = same.with(3, { registers: 'x', held: 'h3' }).with(255, { registers: 'r255', held: '' });
    expect(findDifferingBuckets(same, same)).toEqual([]);
    expect(findDifferingBuckets(same, other)).toEqual([3, 255]);
  });
});
