import { expect, it } from 'vitest';
import { OPEN_POLICY } from '../../../kernel/transfer-policy.js';
import type { PeerTransport } from '../../../ports/peer-transport.port.js';
import { KnownChunks, PeerPerformance } from './source-choice.js';

const MIB = 1024 * 1024;

it('knows the rate of a peer over all its ranges at once, smoothed, for a minute', () => {
  const record = new PeerPerformance();
  expect(record.knownRate(0)).toBeNull();
  record.beginFetch();
  record.beginFetch();
  record.endFetch({ bytes: 16 * MIB, ms: 1_000 }, null, 1_000);
  expect(record.knownRate(1_000)).toBe(32 * MIB);
  record.endFetch({ bytes: 16 * MIB, ms: 2_000 }, null, 2_000);
  expect(record.knownRate(2_000)).toBeCloseTo((32 - 24 * 0.3) * MIB);
  expect(record.knownRate(62_001)).toBeNull();
});

it('learns nothing from a small package, and something from a long wait for few bytes', () => {
  const record = new PeerPerformance();
  record.beginFetch();
  record.endFetch({ bytes: 64 * 1024, ms: 20 }, null, 0);
  expect(record.knownRate(0)).toBeNull();
  record.beginFetch();
  record.endFetch({ bytes: 64 * 1024, ms: 4_000 }, null, 0);
  expect(record.knownRate(0)).toBe(16 * 1024);
});

it('leaves a peer alone for longer with each failure, then tries one range at a time', () => {
  const record = new PeerPerformance();
  const fail = (now: number) => {
    record.beginFetch();
    record.endFetch(null, 'away', now);
  };
  fail(0);
  expect([record.isUsable(499), record.nextTry(499), record.isUsable(500)]).toEqual([false, 500, true]);
  fail(500);
  expect([record.isUsable(1_499), record.isUsable(1_500)]).toEqual([false, true]);
  for (let i = 0; i < 20; i++) fail(2_000);
  expect(record.nextTry(2_000)).toBe(32_000);
  record.beginFetch();
  expect(record.isUsable(40_000)).toBe(false);
  record.endFetch({ bytes: 1, ms: 1 }, null, 40_000);
  expect([record.isUsable(40_000), record.lastError]).toEqual([true, null]);
});

it('asks a peer that has returned as one that has never failed', () => {
  const record = new PeerPerformance();
  for (let i = 0; i < 20; i++) {
    record.beginFetch();
    record.endFetch(null, 'away', 0);
  }
  record.beginFetch();
  record.noteReturn();
  expect([record.isUsable(1), record.nextTry(1), record.lastError]).toEqual([true, null, null]);
});

it('does not blame a peer that has to wait itself', () => {
  const record = new PeerPerformance();
  record.beginFetch();
  record.endFetch(null, null, 0);
  expect([record.failures, record.running, record.isUsable(0)]).toEqual([0, 0, true]);
});

it('believes nothing of an answer about chunks that the package does not have, or that contradicts itself', async () => {
  const answers: unknown[] = [
    { verified: [{ first: 0, count: 2 }] },
    { verified: [{ first: 0, count: 4 }] },
    {
      verified: [
        { first: 3, count: 1 },
        { first: 0, count: 1 },
      ],
    },
    { verified: [{ first: -1, count: 1 }] },
    'nothing of the kind',
  ];
  const transport = { get: async () => answers.shift() } as unknown as PeerTransport;
  const peer = { peerId: 'a', name: 'A', url: 'http://a', publicKey: 'k', suspended: false, policy: OPEN_POLICY };
  const clock = { now: 0 };
  const known = new KnownChunks(
    transport,
    () => clock.now,
    () => undefined,
  );
  const found = [];
  while (answers.length > 0) {
    clock.now += 1_000;
    await known.askPeers([peer], { packageId: 'p', chunkCount: 3 });
    found.push(known.chunksOf('a', 'p'));
  }
  expect(found).toEqual([[{ first: 0, count: 2 }], [], [], [], []]);
});
