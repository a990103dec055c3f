import type { ChunkRange } from '../../../kernel/chunk-ranges.js';

/** How far a server's copy of a package is. REQUESTED and FETCHING go on by themselves, FAILED waits for a retry. */
export const REPLICA_STATES = ['REQUESTED', 'FETCHING', 'PUBLISHED', 'FAILED', 'WITHDRAWN'] as const;
export type ReplicaState = (typeof REPLICA_STATES)[number];

export interface ServerName {
  readonly id: string;
  readonly name: string;
}

/** Codes of what can stand in a replica's way; `docs/reference/errors.md` is made from this table. */
export const REPLICA_PROBLEMS = {
  PEER_UNREACHABLE: {
    state: 'delayed',
    meaning: 'The peer does not answer, or not as it should; the reason says why.',
  },
  PEER_LACKS_PACKAGE: { state: 'delayed', meaning: 'The peer that is asked no longer has the package.' },
  NO_SOURCE: {
    state: 'delayed',
    meaning:
      'No registered peer is known to have the package that is not suspended and from which this server takes any.',
  },
  OUTSIDE_WINDOW: {
    state: 'delayed',
    meaning:
      'By a time window, here or on the peer, no packages are fetched now; the reason says when that begins again.',
  },
  CHUNKS_PENDING: {
    state: 'delayed',
    meaning: 'The peers that can be asked fetch the package themselves and do not have the missing chunks yet.',
  },
  INSUFFICIENT_STORAGE: { state: 'delayed', meaning: 'There is not enough free disk space here.' },
  CHUNK_REJECTED: {
    state: 'failed',
    meaning:
      'One chunk arrived damaged 5 times from every peer that has the package. A retry keeps the verified chunks.',
  },
  DIGEST_MISMATCH: {
    state: 'failed',
    meaning:
      'All chunks were verified, and the file on disk is not the package: the disk lost chunks twice, or their digests fit and that of the whole does not. A retry fetches all of it again.',
  },
} as const satisfies Readonly<Record<string, { readonly state: 'delayed' | 'failed'; readonly meaning: string }>>;

/** What stands in a replica's way. `reason` tells an administrator what to do. */
export interface ReplicaProblem {
  readonly code: string;
  readonly reason: string;
}

/** A server on the way of a copy; `verifiedAt` is null as far as it has not told. */
export interface LineageStepView {
  readonly server: ServerName;
  readonly verifiedAt: Date | null;
}

/** The copy of a package on one server, as it is shown. */
export interface ReplicaView {
  readonly packageId: string;
  readonly server: ServerName;
  /** Is it this server's own copy? */
  readonly local: boolean;
  readonly state: ReplicaState;
  /** Bytes of the whole package. */
  readonly size: number;
  readonly chunkCount: number;
  readonly verifiedRuns: readonly ChunkRange[];
  readonly verifiedChunks: number;
  readonly verifiedBytes: number;
  readonly rejectedChunks: number;
  /** From 0 to 1. */
  readonly progress: number;
  readonly sourcePeer: ServerName | null;
  readonly failure: ReplicaProblem | null;
  readonly delay: ReplicaProblem | null;
  readonly lastError: string | null;
  readonly requestedAt: Date | null;
  readonly publishedAt: Date | null;
  /** From the server it was uploaded on to the one it is on; empty while there is no copy. */
  readonly lineage: readonly LineageStepView[];
}
