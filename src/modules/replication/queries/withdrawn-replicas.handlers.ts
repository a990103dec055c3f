import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import { ReplicasToReviewQuery } from '../contracts/replicas-to-review.query.js';
import { WithdrawnReplicasQuery, type WithdrawnReplica } from './withdrawn-replicas.query.js';

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
export class ReplicasToReviewHandler implements IQueryHandler<ReplicasToReviewQuery, readonly string[]> {
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
