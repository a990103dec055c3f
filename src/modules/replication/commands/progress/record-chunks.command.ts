import { Command } from '@nestjs/cqrs';
import type { ChunkRange } from '../../../../kernel/runs.js';

export interface RejectedChunk {
  readonly index: number;
  /** SHA-256 in lower-case hex. */
  readonly expected: string;
  readonly actual: string;
}

/** A run of chunks came in from a peer. */
export interface Arrival {
  readonly packageId: string;
  readonly round: number;
  readonly from: { readonly peerId: string; readonly peerName: string };
  readonly verified: readonly ChunkRange[];
  readonly rejected: readonly RejectedChunk[];
}

/** Record which chunks arrived and were verified or rejected; gives all runs that are verified now. */
export class RecordChunks extends Command<readonly ChunkRange[]> {
  constructor(readonly arrival: Arrival) {
    super();
  }
}
