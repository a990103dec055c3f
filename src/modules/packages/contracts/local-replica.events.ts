import { type DomainEvent, EventFamily, type Recorded, type RecordedEvent } from '../../../kernel/events.js';

/**
 * This server wants its own copy of a package that a peer offers. The event is repeated after a withdrawal and by a retry.
 * Earlier rejections and errors no longer count then. `keepsChunks` says whether verified chunks still count.
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
 * The file of our whole copy, or the file that was uploaded here, is damaged or missing. It is no longer served. Its good
 * chunks count as verified, and the others are fetched from a peer. Work that was under way before does not count.
 */
export type ReplicaDamaged = DomainEvent<
  'ReplicaDamaged',
  {
    readonly packageId: string;
    readonly filename: string;
    readonly size: number;
    readonly sha256: string;
    readonly chunkCount: number;
    /** A peer that holds the package. Null when no such peer is known. */
    readonly fromPeerId: string | null;
    /**
     * The damaged chunks, sorted and disjoint. When there are very many ranges, some good chunks may be among them. Empty
     * when the file was too long.
     */
    readonly runs: readonly { readonly first: number; readonly count: number }[];
    /** The file was missing altogether. */
    readonly missing: boolean;
  }
>;

/** The digest of the whole file matched. This server serves the package from now on. */
type ReplicaPublished = DomainEvent<
  'ReplicaPublished',
  { readonly packageId: string; readonly filename: string; readonly size: number; readonly sha256: string }
>;

/** The server has given up the replica until `retryReplica` starts it again. `reason` is written for administrators. */
type ReplicaFailed = DomainEvent<
  'ReplicaFailed',
  { readonly packageId: string; readonly filename: string; readonly code: string; readonly reason: string }
>;

/** Our copy is no longer served: the package was removed, or its stage does not reach this server any more. */
type ReplicaWithdrawn = DomainEvent<
  'ReplicaWithdrawn',
  { readonly packageId: string; readonly filename: string; readonly reason: 'removed' | 'stage' }
>;

/**
 * The events that say whether this server has the bytes of a package: its own copy is wanted, verified, damaged, given up
 * or withdrawn. The list of packages shows it. The module `replication` records them in the stream `replica-<package id>`.
 */
export type LocalReplicaEvent = ReplicaRequested | ReplicaDamaged | ReplicaPublished | ReplicaFailed | ReplicaWithdrawn;

/** The versions of these events, for the family of all events of a replica. */
export const LOCAL_REPLICA_VERSIONS = {
  ReplicaRequested: { version: 1 },
  ReplicaDamaged: { version: 1 },
  ReplicaPublished: { version: 1 },
  ReplicaFailed: { version: 1 },
  ReplicaWithdrawn: { version: 1 },
} as const;

const localReplicaEvents = new EventFamily<LocalReplicaEvent>(LOCAL_REPLICA_VERSIONS);

/** The types of these events, for subscriptions. */
export const LOCAL_REPLICA_TYPES: readonly string[] = localReplicaEvents.types;

/** Returns the typed event, or null when the record is none of these events. */
export const readLocalReplicaEvent = (record: RecordedEvent): Recorded<LocalReplicaEvent> | null =>
  localReplicaEvents.read(record);
