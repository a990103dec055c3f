import { addRange, allChunks, type ChunkRange, MAX_CHUNKS, removeRanges } from '../../../kernel/chunk-ranges.js';
import type { ReplicaDamaged, ReplicaRequested } from '../../packages/contracts/local-replica.events.js';
import type { PeerCopy, ReplicaEvent } from '../contracts/replica.events.js';

type ReplicaStatus = 'none' | 'pending' | 'published' | 'failed' | 'withdrawn';

/** The facts that a replica needs about its package. */
export interface ReplicaContent {
  readonly packageId: string;
  readonly filename: string;
  readonly size: number;
  readonly sha256: string;
  readonly chunkCount: number;
}

export interface ReplicaState {
  readonly status: ReplicaStatus;
  /** Null before the first request. */
  readonly content: ReplicaContent | null;
  readonly fromPeerId: string | null;
  /**
   * Counts requests and losses. Chunks that were fetched in an earlier round went into another file, or may be the lost
   * ones, so that news of an earlier round does not count.
   */
  readonly round: number;
  readonly verified: readonly ChunkRange[];
  /** True when verified chunks were lost since the last request. */
  readonly lostChunks: boolean;
  /** True from the time when the file was found damaged or missing until the copy is whole again. */
  readonly isDamaged: boolean;
  /** Number of rejections since the last request, by chunk index and by peer. */
  readonly rejections: ReadonlyMap<number, ReadonlyMap<string, number>>;
  /** Code of the last failure; null when there was none since the last request. */
  readonly failure: string | null;
  /** Cause of the present delay: its code, or its reason when a changed reason has to be recorded as well. */
  readonly delay: string | null;
  /** The copies of the peers that hold the package or fetch it, by the peer's id. */
  readonly holders: ReadonlyMap<string, PeerCopy>;
  /** The news that a peer lacked and was told again, the last ones for each peer, by its id. */
  readonly toldAgain: ReadonlyMap<string, string>;
}

export const noReplica: ReplicaState = {
  status: 'none',
  content: null,
  fromPeerId: null,
  round: 0,
  verified: [],
  lostChunks: false,
  isDamaged: false,
  rejections: new Map(),
  failure: null,
  delay: null,
  holders: new Map(),
  toldAgain: new Map(),
};

const withEntry = <K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> => new Map(map).set(key, value);

function withoutEntry<K, V>(map: ReadonlyMap<K, V>, key: K): ReadonlyMap<K, V> {
  const rest = new Map(map);
  rest.delete(key);
  return rest;
}

/** A loop over the chunks of a request has to come to an end, also when a recorded event names a number that is too large. */
function requireCountable(chunkCount: number): void {
  if (chunkCount > MAX_CHUNKS) throw new RangeError(`A package cannot have ${chunkCount} chunks`);
}

/** Begins to fetch what is missing. @throws RangeError when the event is of no package that can be */
function beginRound(
  state: ReplicaState,
  { packageId, filename, size, sha256, chunkCount, fromPeerId }: (ReplicaRequested | ReplicaDamaged)['data'],
  verified: readonly ChunkRange[],
): ReplicaState {
  requireCountable(chunkCount);
  return {
    ...state,
    status: 'pending',
    content: { packageId, filename, size, sha256, chunkCount },
    fromPeerId,
    round: state.round + 1,
    verified,
    lostChunks: false,
    rejections: new Map(),
    failure: null,
    delay: null,
  };
}

/** Folds one event of a replica's stream. */
export function evolveReplica(state: ReplicaState, event: ReplicaEvent): ReplicaState {
  switch (event.type) {
    case 'ReplicaRequested':
      return beginRound(state, event.data, event.data.keepsChunks ? state.verified : []);
    case 'ReplicaDamaged':
      return {
        ...beginRound(state, event.data, removeRanges(allChunks(event.data.chunkCount), event.data.runs)),
        isDamaged: true,
      };
    case 'ChunksVerified':
      return { ...state, verified: addRange(state.verified, event.data), delay: null };
    case 'ChunkRejected': {
      const { index, fromPeerId } = event.data;
      const byPeer = state.rejections.get(index) ?? new Map<string, number>();
      return {
        ...state,
        rejections: withEntry(
          state.rejections,
          index,
          withEntry(byPeer, fromPeerId, (byPeer.get(fromPeerId) ?? 0) + 1),
        ),
      };
    }
    case 'ChunksLost': {
      const verified = removeRanges(state.verified, event.data.runs);
      return { ...state, verified, lostChunks: true, round: state.round + 1 };
    }
    case 'ReplicaDelayed':
      return { ...state, delay: event.data.code === 'OUTSIDE_WINDOW' ? event.data.reason : event.data.code };
    case 'ReplicaPublished':
      return { ...state, status: 'published', isDamaged: false, failure: null, delay: null };
    case 'ReplicaFailed':
      return { ...state, status: 'failed', failure: event.data.code };
    case 'ReplicaWithdrawn':
      return { ...state, status: 'withdrawn', isDamaged: false, verified: [], failure: null, delay: null };
    case 'ReplicaReported': {
      const { peerId, verifiedAt, lineage } = event.data;
      return { ...state, holders: withEntry(state.holders, peerId, { verifiedAt, lineage }) };
    }
    case 'PeerOutdated': {
      const { peerId, told } = event.data;
      return told === undefined ? state : { ...state, toldAgain: withEntry(state.toldAgain, peerId, told) };
    }
    case 'ReplicaUnreported':
      return { ...state, holders: withoutEntry(state.holders, event.data.peerId) };
  }
}
