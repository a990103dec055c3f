// What is known about the exchange with a peer: only what a process of this server watches, and only while the peer is there.
import type { PeerView } from '../../peers/contracts/peer-view.js';
import type { PeerComparison, PeerContactStatus } from './replication-status.query.js';

/** An agreement that was found longer ago is not known to last. Comparisons are made about every ten minutes. */
const MAX_COMPARISON_AGE_MS = 20 * 60_000;

/** Why something cannot be said now. */
export interface NotKnown {
  readonly reason: string;
  /** Since when it is not known. */
  readonly since: Date;
}

/** What is known of the contact with a peer. `following` is null when it is not known, and `unknown` says why. */
export interface WatchedContact {
  readonly following: boolean | null;
  readonly since: Date;
  readonly lastError: string | null;
  readonly nextTryAt: Date | null;
  readonly unknown: NotKnown | null;
}

type Watched = Pick<PeerView, 'state' | 'direction' | 'changedAt'>;

const NOBODY_WATCHES =
  'No process of this server watches the peer: the process that did has ended or does not answer. Another process with ' +
  'ODST_ROLE=worker (or all) takes over within a few seconds when there is one.';

/** True when this server reads the feed of the peer, or would if a process of it worked in the background. */
const isFollowed = ({ state, direction }: Watched): boolean => state === 'REGISTERED' && direction !== 'SEND_ONLY';

/** What is known of the contact. Null when this server does not read the feed of the peer. */
export function judgeContact(peer: Watched, contact: PeerContactStatus | null): WatchedContact | null {
  if (!isFollowed(peer)) return null;
  if (contact === null) {
    const reason = 'No process of this server has tried to read the feed of the peer yet.';
    return unknownContact({ reason, since: peer.changedAt });
  }
  if (!contact.isWatched) return unknownContact({ reason: NOBODY_WATCHES, since: contact.watchedAt ?? contact.since });
  const { following, since, lastError, nextTryAt } = contact;
  return { following, since, lastError, nextTryAt, unknown: null };
}

const unknownContact = (unknown: NotKnown): WatchedContact => ({
  following: null,
  since: unknown.since,
  lastError: null,
  nextTryAt: null,
  unknown,
});

/** Whether the two servers know and hold the same packages, or why this is not known at the time `now`. */
export function judgeSync(
  peer: Watched,
  contact: PeerContactStatus | null,
  comparison: PeerComparison | null,
  now: Date,
): boolean | NotKnown {
  const watched = judgeContact(peer, contact);
  if (watched === null) {
    const why = peer.state === 'REGISTERED' ? 'the direction is SEND_ONLY' : `the peer is ${peer.state}`;
    return { reason: `This server does not compare itself with the peer: ${why}.`, since: peer.changedAt };
  }
  if (watched.unknown !== null) return watched.unknown;
  if (watched.following === false)
    return { reason: `The peer is away: ${watched.lastError ?? 'it does not answer'}`, since: watched.since };
  if (comparison === null || comparison.comparedAt < watched.since) {
    const reason = 'The two servers have not been compared yet since this server reads the feed of the peer.';
    return { reason, since: watched.since };
  }
  if (now.getTime() - comparison.comparedAt.getTime() <= MAX_COMPARISON_AGE_MS) return comparison.differences === 0;
  const since = new Date(comparison.comparedAt.getTime() + MAX_COMPARISON_AGE_MS);
  return { reason: 'The last comparison with the peer was too long ago. The log of this server says why.', since };
}
