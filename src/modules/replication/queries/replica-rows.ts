import type { ChunkRange } from '../../../kernel/runs.js';
import { countChunks } from '../../../kernel/runs.js';
import { CHUNK_SIZE } from '../../../ports/package-storage.port.js';
import type { LineageStepView, ReplicaProblem, ReplicaView, ServerName } from '../contracts/replica-view.js';
import type { ReplicaEntity, ReplicaPackageEntity } from '../projections/replicas/replica.entity.js';

const toProblem = (code: string | null, reason: string | null): ReplicaProblem | null =>
  code === null ? null : { code, reason: reason ?? '' };

function bytesOf(runs: readonly ChunkRange[], { size, chunkCount }: ReplicaPackageEntity): number {
  const last = runs.at(-1);
  const endsWithLast = last !== undefined && last.first + last.count === chunkCount;
  return countChunks(runs) * CHUNK_SIZE - (endsWithLast ? chunkCount * CHUNK_SIZE - size : 0);
}

function verifiedRuns(row: ReplicaEntity, chunkCount: number): readonly ChunkRange[] {
  if (row.state !== 'PUBLISHED') return row.verified;
  return chunkCount > 0 ? [{ first: 0, count: chunkCount }] : [];
}

function lineageOfRow(row: ReplicaEntity, server: ServerName): readonly LineageStepView[] {
  const steps = row.lineage.map(({ serverId, name, verifiedAt }) => ({
    server: { id: serverId, name },
    verifiedAt: verifiedAt === null ? null : new Date(verifiedAt),
  }));
  if (!row.local) return row.state === 'WITHDRAWN' ? [] : steps;
  return row.state === 'PUBLISHED' ? [...steps, { server, verifiedAt: row.publishedAt }] : [];
}

const UNKNOWN_PACKAGE = { size: 0, chunkCount: 0 };

/** A row with what its package and the servers' names add to it. */
export function toReplicaView(
  row: ReplicaEntity,
  known: ReplicaPackageEntity | undefined,
  nameOf: (serverId: string) => string,
): ReplicaView {
  const named = (id: string): ServerName => ({ id, name: nameOf(id) });
  const { size, chunkCount } = known ?? UNKNOWN_PACKAGE;
  const runs = verifiedRuns(row, chunkCount);
  const verifiedChunks = countChunks(runs);
  return {
    packageId: row.packageId,
    server: named(row.serverId),
    local: row.local,
    state: row.state,
    size,
    chunkCount,
    verifiedRuns: runs,
    verifiedChunks,
    verifiedBytes: known ? bytesOf(runs, known) : 0,
    rejectedChunks: row.rejectedChunks,
    progress: row.state === 'PUBLISHED' ? 1 : verifiedChunks / Math.max(1, chunkCount),
    sourcePeer: row.sourceId === null ? null : named(row.sourceId),
    failure: toProblem(row.failureCode, row.failureReason),
    delay: toProblem(row.delayCode, row.delayReason),
    lastError: row.lastError,
    requestedAt: row.requestedAt,
    publishedAt: row.publishedAt,
    lineage: lineageOfRow(row, named(row.serverId)),
  };
}
