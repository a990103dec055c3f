import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import { PublishedFileQuery, type PublishedFileView } from '../../contracts/published-file.query.js';

const PUBLISHED_FILE_COLUMNS = `id AS "packageId", filename, size::float8 AS size, sha256,
  to_char(first_published_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "firstPublishedAt",
  state = 'DAMAGED' AS damaged`;

/** Raw SQL: this is the one query on the way of every download. */
@QueryHandler(PublishedFileQuery)
export class PublishedFileHandler implements IQueryHandler<PublishedFileQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute({ by }: PublishedFileQuery): Promise<PublishedFileView | null> {
    const rows: PublishedFileView[] =
      'filename' in by
        ? await this.dataSource.query(
            `SELECT ${PUBLISHED_FILE_COLUMNS} FROM packages WHERE filename = $1 AND state IN ('AVAILABLE', 'DAMAGED')
             ORDER BY state, publication DESC LIMIT 1`,
            [by.filename],
          )
        : await this.dataSource.query(
            `SELECT ${PUBLISHED_FILE_COLUMNS} FROM packages WHERE id = $1 AND state IN ('AVAILABLE', 'SUPERSEDED', 'DAMAGED')`,
            [by.packageId],
          );
    return rows[0] ?? null;
  }
}
