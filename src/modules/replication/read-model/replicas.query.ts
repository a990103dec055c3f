import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import { CHUNK_SIZE, type ChunkRange, countChunks } from '../../../kernel/chunk-ranges.js';
import type { LineageStepView, ReplicaProblem, ReplicaView, ServerName } from '../contracts/replica-view.js';
import { ReplicaEntity, ReplicaPackageEntity, ReplicaServerEntity } from './replica.entity.js';

/** The replicas of several packages, one list for each package: our own first, then ordered by server. */
export class ReplicasQuery extends Query<readonly (readonly ReplicaView[])[]> {
  constructor(readonly packageIds: readonly string[]) {
    super();
  }
}

/** Finds the facts that the views of replicas need about their packages, by package id. */
export async function findReplicaPackages(
  dataSource: DataSource,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ReplicaPackageEntity>> {
  const query = dataSource.createQueryBuilder(ReplicaPackageEntity, 'known');
  const rows = await query.where('known.packageId = ANY(:ids)', { ids }).getMany();
  return new Map(rows.map((row) => [row.packageId, row]));
}

const toProblem = (code: string | null, reason: string | null): ReplicaProblem | null =>
  code === null ? null : { code, reason: reason ?? '' };

function bytesOf(ranges: readonly ChunkRange[], { size, chunkCount }: ReplicaPackageEntity): number {
  const last = ranges.at(-1);
  const endsWithLast = last !== undefined && last.first + last.count === chunkCount;
  return countChunks(ranges) * CHUNK_SIZE - (endsWithLast ? chunkCount * CHUNK_SIZE - size : 0);
}

function findVerifiedRanges(row: ReplicaEntity, chunkCount: number): readonly ChunkRange[] {
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

/** The view of a row, completed by its package and by the names of the servers. */
function toReplicaView(
  row: ReplicaEntity,
  known: ReplicaPackageEntity | undefined,
  nameOf: (serverId: string) => string,
): ReplicaView {
  const named = (id: string): ServerName => ({ id, name: nameOf(id) });
  const { size, chunkCount } = known ?? UNKNOWN_PACKAGE;
  const ranges = findVerifiedRanges(row, chunkCount);
  const verifiedChunks = countChunks(ranges);
  return {
    packageId: row.packageId,
    server: named(row.serverId),
    local: row.local,
    state: row.state,
    size,
    chunkCount,
    verifiedRuns: ranges,
    verifiedChunks,
    verifiedBytes: known ? bytesOf(ranges, known) : 0,
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

/** Needs three statements, for any number of packages. */
@QueryHandler(ReplicasQuery)
export class ReplicasHandler implements IQueryHandler<ReplicasQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute({ packageIds }: ReplicasQuery): Promise<readonly (readonly ReplicaView[])[]> {
    const rows = await this.findRows(packageIds);
    const [packages, names] = await Promise.all([
      findReplicaPackages(this.dataSource, packageIds),
      this.findNames(rows),
    ]);
    return packageIds.map((id) =>
      rows
        .filter((row) => row.packageId === id)
        .map((row) => toReplicaView(row, packages.get(id), (serverId) => names.get(serverId) ?? serverId)),
    );
  }

  private findRows(ids: readonly string[]): Promise<ReplicaEntity[]> {
    return this.dataSource
      .createQueryBuilder(ReplicaEntity, 'replica')
      .where('replica.packageId = ANY(:ids)', { ids })
      .orderBy('replica.local', 'DESC')
      .addOrderBy('replica.serverId')
      .getMany();
  }

  private async findNames(rows: readonly ReplicaEntity[]): Promise<Map<string, string>> {
    const ids = [...new Set(rows.flatMap((row) => [row.serverId, row.sourceId ?? []]).flat())];
    const query = this.dataSource.createQueryBuilder(ReplicaServerEntity, 'server');
    const servers = await query.where('server.id = ANY(:ids)', { ids }).getMany();
    return new Map(servers.map((server) => [server.id, server.name]));
  }
}
