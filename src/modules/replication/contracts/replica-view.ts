import type { ChunkRange } from '../../../kernel/chunk-ranges.js';

/** The state of a server's copy of a package. REQUESTED and FETCHING continue by themselves, FAILED waits for a retry. */
export const REPLICA_STATES = ['REQUESTED', 'FETCHING', 'PUBLISHED', 'FAILED', 'WITHDRAWN'] as const;
export type ReplicaState = (typeof REPLICA_STATES)[number];

export interface ServerName {
  readonly id: string;
  readonly name: string;
}

/** Codes of what can delay or fail a replica. `docs/reference/errors.md` is generated from this table. */
export const REPLICA_PROBLEMS = {
  PEER_UNREACHABLE: {
    state: 'delayed',
    meaning: 'The peer does not answer, or its answer is wrong. The reason says more.',
  },
  PEER_LACKS_PACKAGE: { state: 'delayed', meaning: 'The peer that was asked no longer has the package.' },
  NO_SOURCE: {
    state: 'delayed',
    meaning:
      'This server knows no peer that has the package, is not suspended, and sends packages to this server by its policy.',
  },
  OUTSIDE_WINDOW: {
    state: 'delayed',
    meaning: 'A time window of this server or of the peer forbids transfers now. The reason says when it opens.',
  },
  CHUNKS_PENDING: {
    state: 'delayed',
    meaning:
      'The peers that can be asked are still fetching the package themselves and do not have the missing chunks yet.',
  },
  INSUFFICIENT_STORAGE: { state: 'delayed', meaning: 'There is not enough free disk space on this server.' },
  STORAGE_FAILS: {
    state: 'delayed',
    meaning: 'The file of the package cannot be written or moved to its place on this server. The reason says why.',
  },
  CHUNK_REJECTED: {
    state: 'failed',
    meaning:
      'One chunk arrived damaged 5 times from every peer that has the package. A retry keeps the verified chunks.',
  },
  DIGEST_MISMATCH: {
    state: 'failed',
    meaning:
      'All chunks were verified, but the file on disk is not the package: the disk lost chunks twice, or the digest of the whole file does not match although all chunks do. A retry fetches the whole package again.',
  },
} as const satisfies Readonly<Record<string, { readonly state: 'delayed' | 'failed'; readonly meaning: string }>>;

/** The cause of the delay or failure of a replica. `reason` tells an administrator what to do. */
export interface ReplicaProblem {
  readonly code: string;
  readonly reason: string;
}

/** A server that a copy came through. `verifiedAt` is null until that server has reported it. */
export interface LineageStepView {
  readonly server: ServerName;
  readonly verifiedAt: Date | null;
}

/** The copy of a package on one server, as it is shown. */
export interface ReplicaView {
  readonly packageId: string;
  readonly server: ServerName;
  /** True when it is this server's own copy. */
  readonly local: boolean;
  readonly state: ReplicaState;
  /** Bytes of the whole package. */
  readonly size: number;
  readonly chunkCount: number;
  readonly verifiedRuns: readonly ChunkRange[];
  readonly verifiedChunks: number;
  readonly verifiedBytes: number;
  readonly rejectedChunks: number;
  /** The verified part, from 0 to 1. */
  readonly progress: number;
  readonly sourcePeer: ServerName | null;
  readonly failure: ReplicaProblem | null;
  readonly delay: ReplicaProblem | null;
  readonly lastError: string | null;
  readonly requestedAt: Date | null;
  readonly publishedAt: Date | null;
  /** From the server on which it was uploaded to the server that holds it; empty while there is no copy. */
  readonly lineage: readonly LineageStepView[];
}
