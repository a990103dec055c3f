import { type DomainEvent, EventFamily, type Recorded, type RecordedEvent } from '../../../kernel/events.js';

/**
 * This server wants its own copy of a package that a peer offers. Repeated after a withdrawal and by a retry;
 * rejections and errors so far no longer count, and `keepsChunks` says whether verified chunks still do.
 */
export type ReplicaRequested = DomainEvent<
  'ReplicaRequested',
  {
    readonly packageId: string;
    readonly filename: string;
    readonly size: number;
    readonly sha256: string;
    readonly chunkCount: number;
    readonly fromPeerId: string;
    readonly retry: boolean;
    readonly keepsChunks: boolean;
  }
>;

/**
 * The file of our whole copy, or the one that was uploaded here, was found damaged or gone. It is no longer served; its
 * good chunks count as verified, and the others are fetched from a peer. What was under way before does not count.
 */
export type ReplicaDamaged = DomainEvent<
  'ReplicaDamaged',
  {
    readonly packageId: string;
    readonly filename: string;
    readonly size: number;
    readonly sha256: string;
    readonly chunkCount: number;
    /** A peer that holds the package; null when none is known. */
    readonly fromPeerId: string | null;
    /** Sorted and disjoint; may hold some that are whole when there are very many. None when the file was too long. */
    readonly runs: readonly { readonly first: number; readonly count: number }[];
    /** There was no file. */
    readonly missing: boolean;
  }
>;

/** The whole file's digest matched and it is served from here. */
export type ReplicaPublished = DomainEvent<
  'ReplicaPublished',
  { readonly packageId: string; readonly filename: string; readonly size: number; readonly sha256: string }
>;

/** It will not be tried again by itself; `retryReplica` starts it anew. `reason` is for an administrator's eyes. */
export type ReplicaFailed = DomainEvent<
  'ReplicaFailed',
  { readonly packageId: string; readonly filename: string; readonly code: string; readonly reason: string }
>;

/** Our copy is no longer served: the package was removed, or its stage no longer reaches this server. */
export type ReplicaWithdrawn = DomainEvent<
  'ReplicaWithdrawn',
  { readonly packageId: string; readonly filename: string; readonly reason: 'removed' | 'stage' }
>;

/**
 * What the list of packages shows of this server's own copy: whether it is wanted, here, damaged, given up or withdrawn.
 * These events stand in the stream `replica-<package id>`, which the module `replication` writes.
 */
export type LocalReplicaEvent = ReplicaRequested | ReplicaDamaged | ReplicaPublished | ReplicaFailed | ReplicaWithdrawn;

/** For the family of all events of a replica. */
export const LOCAL_REPLICA_VERSIONS = {
  ReplicaRequested: { version: 1 },
  ReplicaDamaged: { version: 1 },
  ReplicaPublished: { version: 1 },
  ReplicaFailed: { version: 1 },
  ReplicaWithdrawn: { version: 1 },
} as const;

const localReplicaEvents = new EventFamily<LocalReplicaEvent>(LOCAL_REPLICA_VERSIONS);

export const LOCAL_REPLICA_TYPES: readonly string[] = localReplicaEvents.types;

/** The typed event; null when the record is no event of this server's own copy. */
export const readLocalReplicaEvent = (record: RecordedEvent): Recorded<LocalReplicaEvent> | null =>
  localReplicaEvents.read(record);
