import { Logger } from '@nestjs/common';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { OPEN_POLICY } from '../../../kernel/transfer-policy.js';
import { PeerUnreachable, type FeedMessage, type PeerTransport } from '../../../ports/peer-transport.port.js';
import type { FeedCursors } from './follow-records.js';
import type { ItemHandler } from './item-handler.js';
import { PeerFollower } from './peer-follower.js';
import { MemoryLocks } from '../../../../test/support/memory-locks.js';

// The fake clock knows only the timers of globalThis.
vi.mock('node:timers/promises', () => ({
  setTimeout: (ms: number, value: unknown, { signal }: { signal: AbortSignal }) =>
    new Promise((resolve) => {
      setTimeout(resolve, ms, value);
      signal.addEventListener('abort', () => resolve(value));
    }),
}));

const peer = { peerId: 'a', name: 'Server A', url: 'http://a', publicKey: 'k', suspended: false, policy: OPEN_POLICY };
const item = (id: string): FeedMessage => ({ kind: 'item', id, data: { facts: { packageId: id } } });
const ends: (() => Promise<void>)[] = [];

afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await Promise.all(ends.splice(0).map((end) => end()));
});

/** `connections`: what each connection brings before it breaks; the last one stays open. */
function follow(
  connections: FeedMessage[][],
  handle: (id: string) => Promise<unknown> = async () => 'done',
  { staysOpen = false, refusals = [] }: { staysOpen?: boolean; refusals?: (string | null)[] } = {},
) {
  const saved: string[] = [];
  const from: (string | null)[] = [];
  const handled: string[] = [];
  const onReturn = vi.fn<(peerId: string) => Promise<void>>().mockResolvedValue();
  async function* feed(_peer: object, after: string | null, signal: AbortSignal): AsyncGenerator<FeedMessage> {
    const messages = connections[from.push(after) - 1] ?? [];
    const code = refusals.shift();
    if (code !== undefined) throw new PeerUnreachable('Server A', `answered 403 ${code}`, 403, code);
    yield { kind: 'connected' };
    yield* messages;
    if (signal.aborted) return;
    if (!staysOpen && from.length < connections.length) throw new PeerUnreachable('Server A', 'the feed ended');
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  }
  // Each fake has what the follower calls.
  const fake = <T>(parts: object) => parts as unknown as T;
  const warnings: string[] = [];
  const logger = new Logger('test');
  vi.spyOn(logger, 'warn').mockImplementation((message: string) => void warnings.push(message));
  const follower = new PeerFollower(peer, 'Prod', {
    transport: fake<PeerTransport>({ followFeed: feed }),
    cursors: fake<FeedCursors>({
      loadCursor: async () => saved.at(-1) ?? null,
      saveCursor: async (_peerId: string, _stage: string, cursor: string) => void saved.push(cursor),
    }),
    items: fake<ItemHandler>({
      readItem: (_peer: object, data: object) => data,
      handleItem: async (_peer: object, { facts }: { facts: { packageId: string } }) => {
        const outcome = await handle(facts.packageId);
        handled.push(facts.packageId);
        return outcome;
      },
    }),
    logger,
    compare: async () => 0,
    contacts: { following: async () => undefined, away: async () => undefined },
    onReturn,
  });
  Logger.overrideLogger(false);
  follower.start(new MemoryLocks());
  ends.push(() => follower.stop());
  return { follower, saved, from, handled, onReturn, warnings };
}

describe('following a peer', () => {
  it('goes on after a break from where it was, and tells that the peer is back', async () => {
    const { saved, from, handled, onReturn } = follow([[item('1'), item('2')], [item('3')]]);
    await vi.waitFor(() => expect(saved.at(-1)).toBe('3'));
    expect(from).toEqual([null, '2']);
    expect(handled).toEqual(['1', '2', '3']);
    expect(onReturn.mock.calls).toEqual([[peer.peerId]]);
  });

  it('asks again at once, and as after a first failure, when the peer shows that it is back', async () => {
    vi.useFakeTimers();
    const { follower, from } = follow([], undefined, { refusals: Array.from({ length: 30 }, () => null) });
    // After eight failures, the wait is between 7.5 and 15 s.
    await vi.advanceTimersByTimeAsync(60_000);
    const tries = from.length;
    expect(tries).toBeGreaterThan(8);
    follower.retryNow();
    await vi.advanceTimersByTimeAsync(0);
    expect(from).toHaveLength(tries + 1);
    await vi.advanceTimersByTimeAsync(250);
    expect(from).toHaveLength(tries + 2);
  });

  it('reads an item again that could not be recorded, and nothing after it counts', async () => {
    let broken = true;
    const fail = async (id: string) => {
      if (id !== '2' || !broken) return;
      broken = false;
      throw new Error('the log is away');
    };
    const { saved, from } = follow(
      [
        [item('1'), item('2'), item('3')],
        [item('2'), item('3')],
      ],
      fail,
    );
    await vi.waitFor(() => expect(saved.at(-1)).toBe('3'));
    expect(from).toEqual([null, '1']);
  });

  it('reads again what was put off, after a minute, and takes what comes behind it at once', async () => {
    vi.useFakeTimers();
    const outcomes = ['later', 'done'];
    const { saved, from, handled } = follow(
      [
        [item('1'), item('2'), item('3')],
        [item('2'), item('3')],
      ],
      async (id) => (id === '2' ? outcomes.shift() : 'done'),
      { staysOpen: true },
    );
    await vi.waitFor(() => expect(handled).toEqual(['1', '2', '3']));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(saved).toEqual(['1']);
    await vi.advanceTimersByTimeAsync(61_000);
    await vi.waitFor(() => expect(saved.at(-1)).toBe('3'));
    expect(from).toEqual([null, '1']);
    expect(handled).toEqual(['1', '2', '3', '2', '3']);
  });

  it('waits longer each time that the same item is put off, and no longer for the next one', async () => {
    vi.useFakeTimers();
    const outcomes = ['later', 'later', 'done'];
    const again = [item('1')];
    const { from, handled } = follow(
      [again, again, [item('1'), item('2')], [item('2')]],
      async (id) => (id === '1' ? outcomes.shift() : handled.includes('2') ? 'done' : 'later'),
      { staysOpen: true },
    );
    vi.spyOn(Math, 'random').mockReturnValue(1);
    await vi.waitFor(() => expect(handled).toEqual(['1']));
    await vi.advanceTimersByTimeAsync(60_000);
    await vi.waitFor(() => expect(handled).toHaveLength(2));
    await vi.advanceTimersByTimeAsync(100_000);
    expect(from).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(20_000);
    await vi.waitFor(() => expect(handled).toEqual(['1', '1', '1', '2']));
    await vi.advanceTimersByTimeAsync(60_000);
    await vi.waitFor(() => expect(from).toEqual([null, null, null, '1']));
  });

  it.each(['PEER_NOT_SERVED', 'PEER_SUSPENDED'])(
    'says clearly that it is refused by %s, and asks again after about a minute',
    async (code) => {
      vi.useFakeTimers();
      const { from, saved, warnings, onReturn } = follow([[], [], [item('1')]], undefined, { refusals: [code, code] });
      vi.spyOn(Math, 'random').mockReturnValue(0);
      await vi.waitFor(() => expect(from).toHaveLength(1));
      expect(warnings).toEqual([expect.stringMatching(/^Cannot follow Server A: it .* its administrator to/)]);
      await vi.advanceTimersByTimeAsync(25_000);
      expect(from).toHaveLength(1);
      await vi.advanceTimersByTimeAsync(70_000);
      await vi.waitFor(() => expect(saved).toEqual(['1']));
      expect([from.length, warnings.length, onReturn.mock.calls.length]).toEqual([3, 1, 1]);
    },
  );

  it('asks again soon after any other refusal', async () => {
    vi.useFakeTimers();
    const { from, saved } = follow([[], [item('1')]], undefined, { refusals: ['PEER_CLOCK_OFF'] });
    await vi.waitFor(() => expect(from).toHaveLength(1));
    await vi.advanceTimersByTimeAsync(300);
    await vi.waitFor(() => expect(saved).toEqual(['1']));
  });
});
