import { Query } from '@nestjs/cqrs';
import type { ChunkRange } from '../../../kernel/runs.js';

/** A copy that this server wants and does not have whole. */
export interface UnfinishedReplica {
  readonly packageId: string;
  readonly filename: string;
  readonly size: number;
  readonly sha256: string;
  readonly chunkCount: number;
  /** Sorted and disjoint. */
  readonly missing: readonly ChunkRange[];
  readonly fromPeerId: string | null;
  /** Given up: it keeps what it has and waits for a retry. */
  readonly failed: boolean;
}

/** All unfinished copies, or that of one package: what the queue is filled from again, and what is kept on disk. */
export class UnfinishedReplicasQuery extends Query<readonly UnfinishedReplica[]> {
  constructor(readonly packageId: string | null = null) {
    super();
  }
}
