import { addRun, removeRun, type Run } from '../../../kernel/runs.js';
import type { ReplicaDamaged, ReplicaEvent, ReplicaRequested } from '../contracts/replica.events.js';
import type { ReplicaState } from './replica.state.js';

const put = <K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> => new Map(map).set(key, value);

function without<K, V>(map: ReadonlyMap<K, V>, key: K): ReadonlyMap<K, V> {
  const rest = new Map(map);
  rest.delete(key);
  return rest;
}

function requested(state: ReplicaState, data: ReplicaRequested['data']): ReplicaState {
  const { packageId, filename, size, sha256, chunkCount, fromPeerId } = data;
  return {
    ...state,
    status: 'pending',
    content: { packageId, filename, size, sha256, chunkCount },
    fromPeerId,
    round: state.round + 1,
    verified: data.keepsChunks ? state.verified : [],
    lostChunks: false,
    rejections: new Map(),
    failure: null,
    delay: null,
  };
}

function damaged(state: ReplicaState, data: ReplicaDamaged['data']): ReplicaState {
  const { packageId, filename, size, sha256, chunkCount, fromPeerId, runs } = data;
  return {
    ...state,
    status: 'pending',
    content: { packageId, filename, size, sha256, chunkCount },
    fromPeerId,
    round: state.round + 1,
    verified: runs.reduce<readonly Run[]>(removeRun, addRun([], { first: 0, count: chunkCount })),
    lostChunks: false,
    rejections: new Map(),
    failure: null,
    delay: null,
  };
}

/** Folds one event of a replica's stream. */
export function evolve(state: ReplicaState, event: ReplicaEvent): ReplicaState {
  switch (event.type) {
    case 'ReplicaRequested':
      return requested(state, event.data);
    case 'ReplicaDamaged':
      return damaged(state, event.data);
    case 'ChunksVerified':
      return { ...state, verified: addRun(state.verified, event.data), delay: null };
    case 'ChunkRejected': {
      const { index, fromPeerId } = event.data;
      const byPeer = state.rejections.get(index) ?? new Map<string, number>();
      return {
        ...state,
        rejections: put(state.rejections, index, put(byPeer, fromPeerId, (byPeer.get(fromPeerId) ?? 0) + 1)),
      };
    }
    case 'ChunksLost': {
      const verified = event.data.runs.reduce<readonly Run[]>(removeRun, state.verified);
      return { ...state, verified, lostChunks: true, round: state.round + 1 };
    }
    case 'ReplicaDelayed':
      return { ...state, delay: event.data.code === 'OUTSIDE_WINDOW' ? event.data.reason : event.data.code };
    case 'ReplicaPublished':
      return { ...state, status: 'published', failure: null, delay: null };
    case 'ReplicaFailed':
      return { ...state, status: 'failed', failure: event.data.code };
    case 'ReplicaWithdrawn':
      return { ...state, status: 'withdrawn', verified: [], failure: null, delay: null };
    case 'ReplicaReported': {
      const { peerId, verifiedAt, lineage } = event.data;
      return { ...state, holders: put(state.holders, peerId, { verifiedAt, lineage }) };
    }
    case 'PeerOutdated':
      return state;
    case 'ReplicaUnreported':
      return { ...state, holders: without(state.holders, event.data.peerId) };
  }
}
