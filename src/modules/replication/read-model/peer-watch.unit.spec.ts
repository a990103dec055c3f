import { describe, expect, it } from 'vitest';
import { judgeContact, judgeSync } from './peer-watch.js';
import type { PeerComparison, PeerContactStatus } from './replication-status.query.js';

const at = (minute: number): Date => new Date(Date.UTC(2026, 0, 1, 0, minute));
const PEER = { state: 'REGISTERED', direction: 'SEND_RECEIVE', changedAt: at(0) } as const;
const followed: PeerContactStatus = {
  peerId: 'p',
  following: true,
  since: at(10),
  lastError: null,
  nextTryAt: null,
  isWatched: true,
  watchedAt: at(20),
};
const away: PeerContactStatus = { ...followed, following: false, lastError: 'connection refused', nextTryAt: at(21) };
const compared = (minute: number, differences = 0): PeerComparison => ({
  peerId: 'p',
  comparedAt: at(minute),
  differences,
});

describe('the contact with a peer', () => {
  it('is what the process that watches the peer has seen', () => {
    expect(judgeContact(PEER, followed)).toMatchObject({ following: true, since: at(10), unknown: null });
    expect(judgeContact(PEER, away)).toMatchObject({
      following: false,
      lastError: 'connection refused',
      unknown: null,
    });
  });

  it.each([followed, away])('is not known when nobody watches, whatever was seen before', (contact) => {
    const unknown = { reason: expect.stringContaining('ODST_ROLE=worker'), since: at(20) };
    expect(judgeContact(PEER, { ...contact, isWatched: false })).toMatchObject({
      following: null,
      since: at(20),
      unknown,
    });
    const noTrace = { ...contact, isWatched: false, watchedAt: null };
    expect(judgeContact(PEER, noTrace)).toMatchObject({ following: null, since: at(10) });
  });

  it('is not known before anybody has tried', () => {
    expect(judgeContact(PEER, null)).toMatchObject({ following: null, unknown: { since: at(0) } });
  });

  it.each([{ state: 'SUSPENDED' }, { state: 'UNREGISTERED' }, { direction: 'SEND_ONLY' }] as const)(
    'does not exist with %o',
    (other) => expect(judgeContact({ ...PEER, ...other }, followed)).toBeNull(),
  );
});

describe('whether two servers agree', () => {
  it('is what the last comparison has found', () => {
    expect(judgeSync(PEER, followed, compared(11), at(12))).toBe(true);
    expect(judgeSync(PEER, followed, compared(11, 3), at(12))).toBe(false);
  });

  it.each([
    ['the peer is away', PEER, away, compared(11), 'connection refused'],
    ['nobody watches', PEER, { ...followed, isWatched: false }, compared(11), 'No process'],
    ['nobody has tried', PEER, null, compared(11), 'yet'],
    ['they were never compared', PEER, followed, null, 'not been compared'],
    ['they were compared before the connection', PEER, followed, compared(9), 'not been compared'],
    ['the comparison is old', PEER, { ...followed, since: at(-60) }, compared(-30), 'too long ago'],
    ['the peer is suspended', { ...PEER, state: 'SUSPENDED' as const }, followed, compared(11), 'SUSPENDED'],
    ['nothing is taken from it', { ...PEER, direction: 'SEND_ONLY' as const }, followed, compared(11), 'SEND_ONLY'],
  ])('is not known when %s', (_, peer, contact, comparison, words) => {
    const found = judgeSync(peer, contact, comparison, at(12));
    expect(found).toMatchObject({ reason: expect.stringContaining(words), since: expect.any(Date) });
  });
});
