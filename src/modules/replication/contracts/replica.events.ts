import { type DomainEvent, EventFamily, withFields } from '../../../kernel/events.js';
import { LOCAL_REPLICA_VERSIONS, type LocalReplicaEvent } from '../../packages/contracts/local-replica.events.js';

/** One server on the way of a copy, and since when it holds the package, verified: ISO 8601, null while it fetches it. */
export type LineageStep = {
  readonly serverId: string;
  readonly name: string;
  readonly verifiedAt: string | null;
};

/** The servers that a copy came through, from the one it was uploaded on to the one it was fetched from. */
export type Lineage = readonly LineageStep[];

/** A longer way is cut at its beginning; no real mesh is so deep. */
const MAX_LINEAGE_STEPS = 64;

export const extendLineage = (before: Lineage, step: LineageStep): Lineage =>
  [...before, step].slice(-MAX_LINEAGE_STEPS);

/** What a peer has of a package: all of it since `verifiedAt` (ISO 8601), or, when that is null, the chunks verified so far. */
export type PeerCopy = {
  readonly verifiedAt: string | null;
  /** The way by which it came to that peer, without the peer itself. */
  readonly lineage: Lineage;
};

/** One run of chunks whose digests matched and which are written at their places. */
export type ChunksVerified = DomainEvent<
  'ChunksVerified',
  {
    readonly packageId: string;
    readonly first: number;
    readonly count: number;
    readonly fromPeerId: string;
    /** Chunks still missing after this run; 0 starts the final check. */
    readonly remaining: number;
  }
>;

/** A chunk arrived and its digest did not match; it was not written. Digests are SHA-256 in lower-case hex. */
export type ChunkRejected = DomainEvent<
  'ChunkRejected',
  {
    readonly packageId: string;
    readonly index: number;
    readonly fromPeerId: string;
    readonly expected: string;
    readonly actual: string;
    /** How often this chunk has been rejected since the replica was requested, from 1. */
    readonly times: number;
  }
>;

/**
 * The last check found verified chunks damaged on our own disk, as after a power cut. They no longer count and are
 * fetched again; what was under way for them does not count either.
 */
export type ChunksLost = DomainEvent<
  'ChunksLost',
  {
    readonly packageId: string;
    readonly filename: string;
    readonly chunkCount: number;
    /** Sorted and disjoint; may hold some that are whole when there are very many. */
    readonly runs: readonly { readonly first: number; readonly count: number }[];
  }
>;

/**
 * Nothing comes in at present, and the jobs go on trying. Recorded once a cause; the next ChunksVerified,
 * ReplicaPublished or ReplicaRequested ends it. `reason` is for an administrator's eyes.
 */
export type ReplicaDelayed = DomainEvent<
  'ReplicaDelayed',
  { readonly packageId: string; readonly code: string; readonly reason: string; readonly fromPeerId: string | null }
>;

/** A peer told us that it holds the package, verified, or that it fetches it and offers the chunks that it has so far. */
export type ReplicaReported = DomainEvent<
  'ReplicaReported',
  PeerCopy & { readonly packageId: string; readonly peerId: string; readonly peerName: string }
>;

/** A peer that had reported the package no longer holds it. */
export type ReplicaUnreported = DomainEvent<
  'ReplicaUnreported',
  { readonly packageId: string; readonly peerId: string; readonly peerName: string }
>;

/**
 * A peer that has a copy told older news of the package than ours: it may have been told ours before it knew the package,
 * and not have taken note. So it is told again.
 */
export type PeerOutdated = DomainEvent<
  'PeerOutdated',
  { readonly packageId: string; readonly peerId: string; readonly peerName: string }
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
  PeerOutdated: { version: 1 },
});
