import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import { missingRanges } from '../../../kernel/runs.js';
import { ReplicaEntity, type ReplicaPackageEntity } from '../projections/replicas/replica.entity.js';
import { findReplicaPackages } from './replica-packages.js';
import { UnfinishedReplicasQuery, type UnfinishedReplica } from './unfinished-replicas.query.js';

@QueryHandler(UnfinishedReplicasQuery)
export class UnfinishedReplicasHandler implements IQueryHandler<UnfinishedReplicasQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute({ packageId }: UnfinishedReplicasQuery): Promise<readonly UnfinishedReplica[]> {
    const query = this.dataSource
      .createQueryBuilder(ReplicaEntity, 'replica')
      .where(`replica.local AND replica.state IN ('REQUESTED', 'FETCHING', 'FAILED')`);
    if (packageId !== null) query.andWhere('replica.packageId = :packageId', { packageId });
    const rows = await query.orderBy('replica.packageId').getMany();
    const packages = await findReplicaPackages(
      this.dataSource,
      rows.map((row) => row.packageId),
    );
    return rows.flatMap((row) => {
      const known = packages.get(row.packageId);
      return known ? toUnfinished(row, known) : [];
    });
  }
}

function toUnfinished(row: ReplicaEntity, known: ReplicaPackageEntity): UnfinishedReplica {
  const { packageId, filename, size, sha256, chunkCount } = known;
  const missing = missingRanges(row.verified, chunkCount);
  const failed = row.state === 'FAILED';
  return { packageId, filename, size, sha256, chunkCount, missing, fromPeerId: row.sourceId, failed };
}
