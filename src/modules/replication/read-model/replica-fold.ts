import { addRange, allChunks, countChunks, removeRanges } from '../../../kernel/chunk-ranges.js';
import type { Recorded } from '../../../kernel/events.js';
import type { ReplicaDamaged } from '../../packages/contracts/local-replica.events.js';
import { type Lineage, lineageTo, type ReplicaEvent } from '../contracts/replica.events.js';
import { ReplicaEntity } from './replica.entity.js';

/** The peer that delivered most chunks; null when no peer delivered any, as for an adopted file. */
function mainSource({ delivered }: ReplicaEntity): string | null {
  const [first] = Object.entries(delivered).toSorted(([, a], [, b]) => b - a);
  return first?.[0] ?? null;
}

/** Gives our copy, which is whole now, the lineage of the peer that delivered most of it. `rowOf` finds the rows of peers. */
export function withLineage(own: ReplicaEntity, rowOf: (serverId: string) => ReplicaEntity | undefined): ReplicaEntity {
  const source = mainSource(own) ?? (own.lineage.length === 0 ? own.sourceId : null);
  return source === null ? own : { ...own, lineage: rowOf(source)?.lineage ?? [] };
}

const serverIds = (way: Lineage): string => way.map(({ serverId }) => serverId).join();

/** A peer that passed on chunks before its own copy was whole reports the same lineage again, now with all times. */
export const withLineageTimes = (own: ReplicaEntity, way: Lineage): ReplicaEntity =>
  serverIds(own.lineage) === serverIds(way) ? { ...own, lineage: way } : own;

const NO_PROBLEMS = { failureCode: null, failureReason: null, delayCode: null, delayReason: null, lastError: null };

/** The row of a copy of which nothing is known yet. */
export const newReplica = (packageId: string, serverId: string, local: boolean): ReplicaEntity =>
  Object.assign(new ReplicaEntity(), {
    packageId,
    serverId,
    local,
    state: 'WITHDRAWN',
    verified: [],
    rejectedChunks: 0,
    sourceId: null,
    ...NO_PROBLEMS,
    requestedAt: null,
    publishedAt: null,
    lineage: [],
    delivered: {},
    uploaded: false,
    withdrawnAt: null,
  } satisfies ReplicaEntity);

export const toPublished = (row: ReplicaEntity, at: Date): ReplicaEntity => ({
  ...row,
  ...NO_PROBLEMS,
  state: 'PUBLISHED',
  verified: [],
  publishedAt: at,
  withdrawnAt: null,
});

export const toWithdrawn = (row: ReplicaEntity): ReplicaEntity => ({
  ...row,
  ...NO_PROBLEMS,
  state: 'WITHDRAWN',
  verified: [],
  publishedAt: null,
  withdrawnAt: null,
});

const toReported = (row: ReplicaEntity, verifiedAt: string | null): ReplicaEntity =>
  verifiedAt === null ? { ...toWithdrawn(row), state: 'FETCHING' } : toPublished(row, new Date(verifiedAt));

const isUnderWay = (row: ReplicaEntity): boolean => row.state === 'REQUESTED' || row.state === 'FETCHING';

/** Folds one event of a replica's stream into the row of the server that it is about. */
export function foldReplica(row: ReplicaEntity, event: Recorded<ReplicaEvent>): ReplicaEntity {
  // Events about a copy from a peer do not change an uploaded package, which is whole until its own file is damaged.
  if (row.uploaded && event.type !== 'ReplicaDamaged') return row;
  switch (event.type) {
    case 'ReplicaRequested':
      return toRequested(row, event.data.fromPeerId, event.data.keepsChunks, event.record.recordedAt);
    case 'ReplicaDamaged':
      return toDamaged(row, event.data, event.record.recordedAt);
    case 'ReplicaPublished':
      return toPublished(row, event.record.recordedAt);
    case 'ReplicaReported':
      return { ...toReported(row, event.data.verifiedAt), lineage: lineageTo(event.data) };
    case 'PeerOutdated':
      return row;
    case 'ReplicaWithdrawn':
      return { ...toWithdrawn(row), withdrawnAt: event.data.reason === 'stage' ? event.record.recordedAt : null };
    case 'ReplicaUnreported':
      return toWithdrawn(row);
    default:
      // Late events of a copy that is no longer being fetched change nothing.
      return isUnderWay(row) ? foldProgress(row, event) : row;
  }
}

function toRequested(row: ReplicaEntity, sourceId: string, keepsChunks: boolean, at: Date): ReplicaEntity {
  const verified = keepsChunks ? row.verified : [];
  const dates = { requestedAt: at, publishedAt: null, withdrawnAt: null };
  return { ...row, ...NO_PROBLEMS, ...dates, state: 'REQUESTED', verified, rejectedChunks: 0, sourceId, delivered: {} };
}

function toDamaged(
  row: ReplicaEntity,
  { chunkCount, fromPeerId, runs, missing }: ReplicaDamaged['data'],
  at: Date,
): ReplicaEntity {
  const lastError = missing
    ? "The file is missing on this server's disk."
    : `The file is damaged on this server's disk. Number of damaged chunks: ${countChunks(runs)}.`;
  const fetching = {
    ...row,
    ...NO_PROBLEMS,
    uploaded: false,
    state: 'FETCHING' as const,
    verified: removeRanges(allChunks(chunkCount), runs),
    rejectedChunks: 0,
    publishedAt: null,
  };
  return { ...fetching, lastError, sourceId: fromPeerId, requestedAt: at };
}

function foldProgress(row: ReplicaEntity, event: Recorded<ReplicaEvent>): ReplicaEntity {
  switch (event.type) {
    case 'ChunksVerified': {
      const verified = addRange(row.verified, event.data);
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
      const lastError = `Chunk ${event.data.index + 1} arrived damaged. Number of times so far: ${event.data.times}.`;
      return { ...row, rejectedChunks: row.rejectedChunks + 1, lastError };
    }
    case 'ChunksLost': {
      const verified = removeRanges(row.verified, event.data.runs);
      const lastError = `Verified chunks are damaged on this server's disk. Number of damaged chunks: ${countChunks(event.data.runs)}.`;
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
