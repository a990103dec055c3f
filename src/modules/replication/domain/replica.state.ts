import type { ChunkRange } from '../../../kernel/runs.js';
import type { PeerCopy } from '../contracts/lineage.js';

export type ReplicaStatus = 'none' | 'pending' | 'published' | 'failed' | 'withdrawn';

/** The package as the replica needs to know it. */
export interface ReplicaContent {
  readonly packageId: string;
  readonly filename: string;
  readonly size: number;
  readonly sha256: string;
  readonly chunkCount: number;
}

export interface ReplicaState {
  readonly status: ReplicaStatus;
  /** Null until it was requested for the first time. */
  readonly content: ReplicaContent | null;
  readonly fromPeerId: string | null;
  /** Counts requests and losses: what was fetched before went into another file, or may be what was lost. */
  readonly round: number;
  readonly verified: readonly ChunkRange[];
  /** Were verified chunks lost since the last request? */
  readonly lostChunks: boolean;
  /** Rejections since the last request: by chunk index, how often from which peer. */
  readonly rejections: ReadonlyMap<number, ReadonlyMap<string, number>>;
  /** Code of the last failure, or of what holds it up now. */
  readonly failure: string | null;
  /** Its code, or the reason of one that is to be recorded anew when it changes. */
  readonly delay: string | null;
  /** Peers that hold the package or fetch it. */
  readonly holders: ReadonlyMap<string, PeerCopy>;
}

export const noReplica: ReplicaState = {
  status: 'none',
  content: null,
  fromPeerId: null,
  round: 0,
  verified: [],
  lostChunks: false,
  rejections: new Map(),
  failure: null,
  delay: null,
  holders: new Map(),
};
