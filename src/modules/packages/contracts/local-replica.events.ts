import { type DomainEvent, EventFamily, type Recorded, type RecordedEvent } from '../../../kernel/events.js';

/**
 * This server wants its own copy of a package that a peer offers. It is repeated after a withdrawal and by a retry.
 * Earlier rejections and errors no longer count; `keepsChunks` says whether the verified chunks still do.
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
 * The file of our whole copy or of an upload was found damaged or missing. It is no longer served. Its good chunks count
 * as verified, and the others are fetched from a peer. Fetches that were running before do not count.
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
    /** The damaged chunks as sorted and disjoint ranges. When there are very many, one range covers them and some whole chunks. Empty when the file was only too long. */
    readonly runs: readonly { readonly first: number; readonly count: number }[];
    /** The file was missing. */
    readonly missing: boolean;
  }
>;

/** The digest of the whole file matched, and this server serves it. */
export type ReplicaPublished = DomainEvent<
  'ReplicaPublished',
  { readonly packageId: string; readonly filename: string; readonly size: number; readonly sha256: string }
>;

/** The copy failed and waits for `retryReplica`. `reason` is meant for an administrator. */
export type ReplicaFailed = DomainEvent<
  'ReplicaFailed',
  { readonly packageId: string; readonly filename: string; readonly code: string; readonly reason: string }
>;

/** Our copy is no longer served: the package was removed, or its stage does not reach this server any more. */
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
