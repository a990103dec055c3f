import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import { type ChunkRange, missingRanges } from '../../../kernel/chunk-ranges.js';
import { ReplicaEntity, type ReplicaPackageEntity } from './replica.entity.js';
import { findReplicaPackages } from './replicas.query.js';

/** A copy that this server wants and that is not whole yet. */
export interface UnfinishedReplica {
  readonly packageId: string;
  readonly filename: string;
  readonly size: number;
  readonly sha256: string;
  readonly chunkCount: number;
  /** Chunks that are not verified yet, as sorted and disjoint ranges. */
  readonly missing: readonly ChunkRange[];
  readonly fromPeerId: string | null;
  /** It failed: its verified chunks stay, and it waits for a retry. */
  readonly failed: boolean;
}

/** All unfinished copies, or that of one package. The queue is filled from them again, and their files stay on the disk. */
export class UnfinishedReplicasQuery extends Query<readonly UnfinishedReplica[]> {
  constructor(readonly packageId: string | null = null) {
    super();
  }
}

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

/** A copy that this server withdrew because of its stage. */
interface WithdrawnReplica {
  readonly packageId: string;
  readonly since: Date;
}

/** The copies withdrawn because of their stage, all of them or those since a time. Their files may be deleted by now. */
export class WithdrawnReplicasQuery extends Query<readonly WithdrawnReplica[]> {
  constructor(readonly since: Date | null = null) {
    super();
  }
}

/**
 * Ids of the packages whose copy has to be reviewed after this server's stage has changed: all copies that are here or on
 * their way, and those that were withdrawn because of their stage. Gives a page of `most` ids after an id, ordered by id;
 * null starts with the first.
 */
export class ReplicasToReviewQuery extends Query<readonly string[]> {
  constructor(
    readonly after: string | null,
    readonly most: number,
  ) {
    super();
  }
}

const LOWEST_ID = '00000000-0000-0000-0000-000000000000';

@QueryHandler(WithdrawnReplicasQuery)
export class WithdrawnReplicasHandler implements IQueryHandler<WithdrawnReplicasQuery> {
  constructor(private readonly dataSource: DataSource) {}

  execute({ since }: WithdrawnReplicasQuery): Promise<readonly WithdrawnReplica[]> {
    return this.dataSource.query(
      `SELECT package_id AS "packageId", withdrawn_at AS since FROM replicas
       WHERE local AND withdrawn_at IS NOT NULL AND ($1::timestamptz IS NULL OR withdrawn_at >= $1) ORDER BY withdrawn_at`,
      [since],
    );
  }
}

@QueryHandler(ReplicasToReviewQuery)
export class ReplicasToReviewHandler implements IQueryHandler<ReplicasToReviewQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute({ after, most }: ReplicasToReviewQuery): Promise<readonly string[]> {
    const rows: { id: string }[] = await this.dataSource.query(
      `SELECT package_id AS id FROM replicas
       WHERE local AND (state <> 'WITHDRAWN' OR withdrawn_at IS NOT NULL) AND package_id > $1
       ORDER BY package_id LIMIT $2`,
      [after ?? LOWEST_ID, most],
    );
    return rows.map(({ id }) => id);
  }
}
