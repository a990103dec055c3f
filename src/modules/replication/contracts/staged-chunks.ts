import type { Recorded } from '../../../kernel/event-family.js';
import { addRange, removeRange, type ChunkRange } from '../../../kernel/runs.js';
import type { StreamFold } from '../../../kernel/stream-fold.js';
import { replicaEvents, type ReplicaEvent } from './replica.events.js';

/** Which chunks of a copy that is being fetched are in its staged file, verified. */
export interface StagedChunks {
  /** `published` from the moment on when the staged file has become the package's. */
  readonly status: 'none' | 'pending' | 'published';
  /** Counts requests and losses: the file of another round is another file, or has lost chunks. */
  readonly round: number;
  /** Sorted and disjoint. */
  readonly verified: readonly ChunkRange[];
}

const withoutRanges = (runs: readonly ChunkRange[], lost: readonly ChunkRange[]): readonly ChunkRange[] =>
  lost.reduce<readonly ChunkRange[]>(removeRange, runs);

function evolveStaged(staged: StagedChunks, event: Recorded<ReplicaEvent>): StagedChunks {
  switch (event.type) {
    case 'ReplicaRequested':
      return { status: 'pending', round: staged.round + 1, verified: event.data.keepsChunks ? staged.verified : [] };
    case 'ReplicaDamaged':
      return {
        status: 'pending',
        round: staged.round + 1,
        verified: withoutRanges([{ first: 0, count: event.data.chunkCount }], event.data.runs),
      };
    case 'ChunksVerified':
      return { ...staged, verified: addRange(staged.verified, event.data) };
    case 'ChunksLost':
      return { ...staged, round: staged.round + 1, verified: withoutRanges(staged.verified, event.data.runs) };
    case 'ReplicaPublished':
      return { ...staged, status: 'published' };
    case 'ReplicaFailed':
      return { ...staged, status: 'none' };
    case 'ReplicaWithdrawn':
      return { ...staged, status: 'none', verified: [] };
    default:
      return staged;
  }
}

export const stagedChunks: StreamFold<StagedChunks, ReplicaEvent> = {
  category: 'replica',
  events: replicaEvents,
  initial: { status: 'none', round: 0, verified: [] },
  evolve: evolveStaged,
};
