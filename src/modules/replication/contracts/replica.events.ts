import { type DomainEvent, EventFamily, withFields } from '../../../kernel/events.js';
import { LOCAL_REPLICA_VERSIONS, type LocalReplicaEvent } from '../../packages/contracts/local-replica.events.js';

/** One server that a copy came through. `verifiedAt` (ISO 8601) says since when it holds the package; null while it fetches it. */
export type LineageStep = {
  readonly serverId: string;
  readonly name: string;
  readonly verifiedAt: string | null;
};

/** The servers that a copy came through, from the server of the upload to the one that the copy was fetched from. */
export type Lineage = readonly LineageStep[];

/** The copy of a peer: whole since `verifiedAt` (ISO 8601), or, when that is null, only the chunks verified so far. */
export type PeerCopy = {
  readonly verifiedAt: string | null;
  /** The servers that the copy came through to the peer, without the peer itself. */
  readonly lineage: Lineage;
};

/** A range of chunks whose digests matched and which are written in their places. */
export type ChunksVerified = DomainEvent<
  'ChunksVerified',
  {
    readonly packageId: string;
    readonly first: number;
    readonly count: number;
    readonly fromPeerId: string;
    /** Number of chunks still missing after this range; 0 starts the final check. */
    readonly remaining: number;
  }
>;

/** The digest of an arrived chunk did not match, so the chunk was not written. Digests are SHA-256 in lower-case hex. */
type ChunkRejected = DomainEvent<
  'ChunkRejected',
  {
    readonly packageId: string;
    readonly index: number;
    readonly fromPeerId: string;
    readonly expected: string;
    readonly actual: string;
    /** The number of times that this chunk has been rejected since the replica was requested, including this time. */
    readonly times: number;
  }
>;

/**
 * The final check found that verified chunks are damaged on our own disk, as after a power cut. They no longer count and
 * are fetched again. Fetches that were running for them do not count either.
 */
export type ChunksLost = DomainEvent<
  'ChunksLost',
  {
    readonly packageId: string;
    readonly filename: string;
    readonly chunkCount: number;
    /** Sorted and disjoint ranges. When there are very many, one range covers them and some whole chunks. */
    readonly runs: readonly { readonly first: number; readonly count: number }[];
  }
>;

/**
 * No chunks arrive at present, and the jobs keep trying. It is recorded once for each cause. The next ChunksVerified,
 * ReplicaPublished or ReplicaRequested ends the delay. `reason` is meant for an administrator.
 */
type ReplicaDelayed = DomainEvent<
  'ReplicaDelayed',
  { readonly packageId: string; readonly code: string; readonly reason: string; readonly fromPeerId: string | null }
>;

/** A peer reported that it holds the verified package, or that it fetches it and offers the chunks that it has so far. */
export type ReplicaReported = DomainEvent<
  'ReplicaReported',
  PeerCopy & { readonly packageId: string; readonly peerId: string; readonly peerName: string }
>;

/** A longer lineage loses its beginning. No real mesh is so deep. */
const MAX_LINEAGE_STEPS = 64;

/** The lineage of a peer's copy, with that peer at its end. */
export const lineageTo = ({ lineage, peerId, peerName, verifiedAt }: ReplicaReported['data']): Lineage =>
  [...lineage, { serverId: peerId, name: peerName, verifiedAt }].slice(-MAX_LINEAGE_STEPS);

/** A peer that had reported a copy no longer has one. */
type ReplicaUnreported = DomainEvent<
  'ReplicaUnreported',
  { readonly packageId: string; readonly peerId: string; readonly peerName: string }
>;

/**
 * A peer that has a copy reported older news of the package than ours. It may have ignored our news because it did not
 * know the package yet. This event brings the news on the feed again, once: a peer may also refuse what we know.
 */
type PeerOutdated = DomainEvent<
  'PeerOutdated',
  {
    readonly packageId: string;
    readonly peerId: string;
    readonly peerName: string;
    /** What is told, by the values of its registers. Events of version 1 do not have it. */
    readonly told?: string;
  }
>;

/** Stream `replica-<package id>`. */
export type ReplicaEvent =
  | LocalReplicaEvent
  | ChunksVerified
  | ChunkRejected
  | ChunksLost
  | ReplicaDelayed
  | ReplicaReported
  | ReplicaUnreported
  | PeerOutdated;

export const replicaEvents = new EventFamily<ReplicaEvent>({
  ...LOCAL_REPLICA_VERSIONS,
  ChunksVerified: { version: 1 },
  ChunkRejected: { version: 1 },
  ChunksLost: { version: 1 },
  ReplicaDelayed: { version: 1 },
  ReplicaReported: { version: 2, upcasters: { 1: withFields({ lineage: [] }) } },
  ReplicaUnreported: { version: 1 },
  // The audit trail describes the events of version 1 as it always did, without a field that they did not have.
  PeerOutdated: { version: 2, upcasters: { 1: withFields({}) } },
});
