import { describe, expect, it } from 'vitest';
import { OPEN_POLICY } from '../../../kernel/transfer-policy.js';
import { chooseSource, expectedMs, selectCandidates, type Source } from './source-choice.js';

const MIB = 1024 * 1024;
const range = { first: 16, count: 16 };
const source = (peerId: string, more: Partial<Source> = {}): Source => ({
  peerId,
  whole: true,
  downstream: false,
  contact: { peerId, name: peerId, url: 'http://x', publicKey: 'k', suspended: false, policy: OPEN_POLICY },
  known: [{ first: 0, count: 64 }],
  rejected: false,
  usable: true,
  rate: 10 * MIB,
  running: 0,
  ...more,
});
const chosen = (...sources: Source[]) => chooseSource(sources, range, 16 * MIB)?.peerId ?? null;

describe('the choice of a source', () => {
  it('is the one that should be done first, so a fast one gets more at once', () => {
    const [fast, slow] = [source('fast', { rate: 30 * MIB }), source('slow', { rate: 10 * MIB })];
    const picks: string[] = [];
    const running = new Map([
      ['fast', 0],
      ['slow', 0],
    ]);
    for (let i = 0; i < 6; i++) {
      const name = chosen(...[fast, slow].map((one) => ({ ...one, running: running.get(one.peerId) ?? 0 }))) ?? '';
      picks.push(name);
      running.set(name, (running.get(name) ?? 0) + 1);
    }
    expect([running.get('fast'), running.get('slow')]).toEqual([5, 1]);
    expect(picks[0]).toBe('fast');
  });

  it('gives one of unknown rate a range at once, and no more than others before it is known', () => {
    expect(chosen(source('known'), source('new', { rate: null }))).toBe('new');
    expect(chosen(source('known'), source('new', { rate: null, running: 1 }))).toBe('known');
    expect(chosen(source('a', { rate: null, running: 1 }), source('b', { rate: null }))).toBe('b');
  });

  it('takes a peer that fetches the package itself when that has the range and is less busy than the origin', () => {
    const origin = source('origin', { running: 3 });
    const part = source('part', { whole: false, known: [range] });
    expect(chosen(origin, part)).toBe('part');
    expect(chosen(origin, { ...part, known: [{ first: 16, count: 15 }] })).toBe('origin');
    expect(chosen({ ...part, known: [] })).toBe('part');
  });

  it('asks last who waits for us, before that who sent wrong bytes, and before that who failed', () => {
    const waitsForUs = source('downstream', { whole: false, downstream: true, known: [] });
    const wrong = source('wrong', { rejected: true });
    const failed = source('failed', { usable: false });
    expect(chosen(waitsForUs, wrong, failed, source('slow', { rate: 1, running: 5 }))).toBe('slow');
    expect(chosen(waitsForUs, wrong, failed)).toBe('failed');
    expect(chosen(waitsForUs, wrong)).toBe('wrong');
    expect(chosen(waitsForUs)).toBe('downstream');
    expect(chosen()).toBeNull();
  });

  it('expects ranges side by side to share what a peer can send', () => {
    expect(expectedMs(source('a'), 10 * MIB)).toBe(1_000);
    expect(expectedMs(source('a', { running: 2 }), 10 * MIB)).toBe(3_000);
    expect(expectedMs(source('a', { rate: null }), 1)).toBeNull();
  });
});

it('candidates are registered, not suspended, and not known to lack the package', () => {
  const holders = ['a', 'b', 'c', 'd'].map((peerId) => ({ peerId, whole: true, downstream: false }));
  const contacts = new Map(['a', 'b', 'c'].map((id) => [id, { ...source(id).contact, suspended: id === 'b' }]));
  const found = selectCandidates({ holders }, contacts, ({ peerId }) => peerId === 'c', new Date());
  expect(found.map(({ peerId }) => peerId)).toEqual(['a']);
});
