import { addRun, countOf, removeRun, type Run } from '../../../../kernel/runs.js';
import type { Recorded } from '../../../../kernel/event-family.js';
import { wayTo } from './replica-way.js';
import type { ReplicaDamaged, ReplicaEvent } from '../../contracts/replica.events.js';
import { ReplicaEntity } from './replica.entity.js';

const CLEAR = { failureCode: null, failureReason: null, delayCode: null, delayReason: null, lastError: null };

/** A copy of which nothing is known yet. */
export const newReplica = (packageId: string, serverId: string, local: boolean): ReplicaEntity =>
  Object.assign(new ReplicaEntity(), {
    packageId,
    serverId,
    local,
    state: 'WITHDRAWN',
    verified: [],
    rejectedChunks: 0,
    sourceId: null,
    ...CLEAR,
    requestedAt: null,
    publishedAt: null,
    lineage: [],
    delivered: {},
    uploaded: false,
    withdrawnAt: null,
  } satisfies ReplicaEntity);

export const published = (row: ReplicaEntity, at: Date): ReplicaEntity => ({
  ...row,
  ...CLEAR,
  state: 'PUBLISHED',
  verified: [],
  publishedAt: at,
  withdrawnAt: null,
});

export const withdrawn = (row: ReplicaEntity): ReplicaEntity => ({
  ...row,
  ...CLEAR,
  state: 'WITHDRAWN',
  verified: [],
  publishedAt: null,
  withdrawnAt: null,
});

const reported = (row: ReplicaEntity, verifiedAt: string | null): ReplicaEntity =>
  verifiedAt === null ? { ...withdrawn(row), state: 'FETCHING' } : published(row, new Date(verifiedAt));

const underWay = (row: ReplicaEntity): boolean => row.state === 'REQUESTED' || row.state === 'FETCHING';

/** Folds one event of a replica stream into the row of the server that it is about. */
export function foldReplica(row: ReplicaEntity, event: Recorded<ReplicaEvent>): ReplicaEntity {
  // What was uploaded here stays whole, whatever becomes of a copy from elsewhere, until its own file is damaged.
  if (row.uploaded && event.type !== 'ReplicaDamaged') return row;
  switch (event.type) {
    case 'ReplicaRequested':
      return requested(row, event.data.fromPeerId, event.data.keepsChunks, event.record.recordedAt);
    case 'ReplicaDamaged':
      return damaged(row, event.data, event.record.recordedAt);
    case 'ReplicaPublished':
      return published(row, event.record.recordedAt);
    case 'ReplicaReported':
      return { ...reported(row, event.data.verifiedAt), lineage: wayTo(event.data) };
    case 'PeerOutdated':
      return row;
    case 'ReplicaWithdrawn':
      return { ...withdrawn(row), withdrawnAt: event.data.reason === 'stage' ? event.record.recordedAt : null };
    case 'ReplicaUnreported':
      return withdrawn(row);
    default:
      // Late news of a copy that is no longer being fetched.
      return underWay(row) ? foldProgress(row, event) : row;
  }
}

function requested(row: ReplicaEntity, sourceId: string, keepsChunks: boolean, at: Date): ReplicaEntity {
  const verified = keepsChunks ? row.verified : [];
  const dates = { requestedAt: at, publishedAt: null, withdrawnAt: null };
  return { ...row, ...CLEAR, ...dates, state: 'REQUESTED', verified, rejectedChunks: 0, sourceId, delivered: {} };
}

function damaged(
  row: ReplicaEntity,
  { chunkCount, fromPeerId, runs, missing }: ReplicaDamaged['data'],
  at: Date,
): ReplicaEntity {
  const verified = runs.reduce<readonly Run[]>(removeRun, addRun([], { first: 0, count: chunkCount }));
  const what = missing ? 'The file is missing' : `Damaged chunks of the file: ${countOf(runs)}`;
  const lastError = `${what} on this server's disk`;
  const fetching = {
    ...row,
    ...CLEAR,
    uploaded: false,
    state: 'FETCHING' as const,
    verified,
    rejectedChunks: 0,
    publishedAt: null,
  };
  return { ...fetching, lastError, sourceId: fromPeerId, requestedAt: at };
}

function foldProgress(row: ReplicaEntity, event: Recorded<ReplicaEvent>): ReplicaEntity {
  switch (event.type) {
    case 'ChunksVerified': {
      const verified = addRun(row.verified, event.data);
      const { fromPeerId, count } = event.data;
      const delivered = { ...row.delivered, [fromPeerId]: (row.delivered[fromPeerId] ?? 0) + count };
      return {
        ...row,
        state: 'FETCHING',
        verified,
        delivered,
        sourceId: fromPeerId,
        delayCode: null,
        delayReason: null,
      };
    }
    case 'ChunkRejected': {
      const lastError = `Chunk ${event.data.index + 1} arrived damaged (${event.data.times} times so far)`;
      return { ...row, rejectedChunks: row.rejectedChunks + 1, lastError };
    }
    case 'ChunksLost': {
      const verified = event.data.runs.reduce<readonly Run[]>(removeRun, row.verified);
      const lastError = `Chunks that were verified are damaged on this server's disk (${countOf(event.data.runs)})`;
      return { ...row, verified, lastError };
    }
    case 'ReplicaDelayed':
      return { ...row, delayCode: event.data.code, delayReason: event.data.reason, lastError: event.data.reason };
    case 'ReplicaFailed': {
      const { code, reason } = event.data;
      const failure = { failureCode: code, failureReason: reason, delayCode: null, delayReason: null };
      return { ...row, ...failure, state: 'FAILED', lastError: reason };
    }
    default:
      return row;
  }
}
