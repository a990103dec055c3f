import { expect, it, vi } from 'vitest';
import { ExpectedPeers } from './expected-peers.js';

it('expects a peer until its registration has ended, well or not', async () => {
  const peers = new ExpectedPeers();
  for (const [outcome, end] of [
    ['done', Promise.resolve('done')],
    ['no', Promise.reject(new Error('no'))],
  ] as const) {
    const registration = peers.whileRegistering('b', 'key', () => end).catch((error: Error) => error.message);
    expect([peers.none, peers.keyOf('b'), peers.keyOf('c')]).toEqual([false, 'key', null]);
    await peers.waitForRegistration('b');
    expect(await registration).toBe(outcome);
    expect([peers.none, peers.keyOf('b')]).toEqual([true, null]);
  }
});

it('lets nobody wait for ever', async () => {
  const peers = new ExpectedPeers();
  void peers.whileRegistering('b', 'key', () => new Promise(() => undefined));
  vi.useFakeTimers();
  try {
    const waited = peers.waitForRegistration('b');
    await vi.advanceTimersByTimeAsync(5_000);
    await waited;
  } finally {
    vi.useRealTimers();
  }
  expect(peers.keyOf('b')).toBe('key');
});
