import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import { STAGES } from '../../../kernel/stage.js';
import { dateOfFilename, type Namesake } from '../contracts/filename-date.js';
import { isoSeconds } from '../contracts/package-facts.js';
import type { PackageView } from '../contracts/package-view.js';
import {
  type FilenameHolder,
  FilenameHoldersQuery,
  NamesakesQuery,
  PackagesByIdQuery,
  PublishedFileQuery,
  type PublishedFileView,
} from '../contracts/package-queries.js';
import { PackageEntity } from './package.entity.js';

/** The package that is served under a filename, or else the last one published under it. Null when there is none. */
export class PackageByFilenameQuery extends Query<PackageView | null> {
  constructor(readonly filename: string) {
    super();
  }
}

/** The packages that are served under filenames (NFC), in the order of the filenames. Null where none is served. */
export class ServedPackagesQuery extends Query<readonly (PackageView | null)[]> {
  constructor(readonly filenames: readonly string[]) {
    super();
  }
}

@QueryHandler(PackageByFilenameQuery)
export class PackageByFilenameHandler implements IQueryHandler<PackageByFilenameQuery> {
  constructor(private readonly dataSource: DataSource) {}

  execute({ filename }: PackageByFilenameQuery): Promise<PackageView | null> {
    return this.dataSource
      .createQueryBuilder(PackageEntity, 'package')
      .addSelect(`CASE state WHEN 'AVAILABLE' THEN 0 WHEN 'REMOVED' THEN 2 ELSE 1 END`, 'standing')
      .where('package.filename = :filename', { filename: filename.normalize('NFC') })
      .orderBy('standing')
      .addOrderBy('package.publication', 'DESC')
      .limit(1)
      .getOne();
  }
}

@QueryHandler(FilenameHoldersQuery)
export class FilenameHoldersHandler implements IQueryHandler<FilenameHoldersQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute({ filename }: FilenameHoldersQuery): Promise<readonly FilenameHolder[]> {
    return this.dataSource.query(
      `SELECT DISTINCT ON (stage) id AS "packageId", filename, stage, publication, origin_id AS "originId",
         origin_name AS "originName", uploaded_by AS "uploadedBy"
       FROM packages WHERE filename = $1 AND NOT coalesce(removal > publication, false)
       ORDER BY stage, publication DESC`,
      [filename],
    );
  }
}

@QueryHandler(PackagesByIdQuery)
export class PackagesByIdHandler implements IQueryHandler<PackagesByIdQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute({ ids }: PackagesByIdQuery): Promise<readonly (PackageView | null)[]> {
    const query = this.dataSource.createQueryBuilder(PackageEntity, 'package').where('package.id = ANY(:ids)', { ids });
    const rows = new Map((await query.getMany()).map((row) => [row.id, row]));
    return ids.map((id) => rows.get(id) ?? null);
  }
}

@QueryHandler(ServedPackagesQuery)
export class ServedPackagesHandler implements IQueryHandler<ServedPackagesQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute({ filenames }: ServedPackagesQuery): Promise<readonly (PackageView | null)[]> {
    const query = this.dataSource
      .createQueryBuilder(PackageEntity, 'package')
      .where(`package.filename = ANY(:filenames) AND package.state = 'AVAILABLE'`, { filenames });
    const rows = new Map((await query.getMany()).map((row) => [row.filename, row]));
    return filenames.map((filename) => rows.get(filename) ?? null);
  }
}

/** Only the latest changes decide about the date of a filename. */
const MAX_NAMESAKES = 200;

const SELECT_NAMESAKES = `
SELECT id AS "packageId", publication, stage_stamp AS "stageStamp", removal,
  NOT held AND NOT coalesce(removal > publication, false) AND array_position($2::text[], stage) >=
    (SELECT coalesce(max(array_position($2::text[], stage)), 1) FROM serving_stage) AS "isAwaited"
FROM packages WHERE filename = $1
ORDER BY greatest(publication, stage_stamp, coalesce(removal, '')) COLLATE "C" DESC LIMIT ${MAX_NAMESAKES}`;

@QueryHandler(NamesakesQuery)
export class NamesakesHandler implements IQueryHandler<NamesakesQuery> {
  constructor(private readonly dataSource: DataSource) {}

  execute({ filename }: NamesakesQuery): Promise<readonly Namesake[]> {
    return this.dataSource.query(SELECT_NAMESAKES, [filename, STAGES]);
  }
}

const PUBLISHED_FILE_COLUMNS = `id AS "packageId", filename, size::float8 AS size, sha256,
  to_char(first_published_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "lastModified",
  state = 'DAMAGED' AS damaged`;
const SERVED_COLUMNS = `${PUBLISHED_FILE_COLUMNS}, publication, stage_stamp AS "stageStamp", removal`;

type ServedRow = PublishedFileView & Omit<Namesake, 'isAwaited'>;

/** Uses raw SQL, because every download waits for this query. */
@QueryHandler(PublishedFileQuery)
export class PublishedFileHandler implements IQueryHandler<PublishedFileQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute({ by }: PublishedFileQuery): Promise<PublishedFileView | null> {
    if ('filename' in by) return this.findServed(by.filename);
    const rows: PublishedFileView[] = await this.dataSource.query(
      `SELECT ${PUBLISHED_FILE_COLUMNS} FROM packages WHERE id = $1 AND state IN ('AVAILABLE', 'SUPERSEDED', 'DAMAGED')`,
      [by.packageId],
    );
    return rows[0] ?? null;
  }

  private async findServed(filename: string): Promise<PublishedFileView | null> {
    const rows: ServedRow[] = await this.dataSource.query(
      `SELECT ${SERVED_COLUMNS} FROM packages WHERE filename = $1 AND state IN ('AVAILABLE', 'DAMAGED')
       ORDER BY state, publication DESC LIMIT 1`,
      [filename],
    );
    const [row] = rows;
    if (!row) return null;
    const { publication, stageStamp, removal, ...view } = row;
    const namesakes: Namesake[] = await this.dataSource.query(SELECT_NAMESAKES, [filename, STAGES]);
    const { packageId } = view;
    const second = dateOfFilename({ packageId, publication, stageStamp, removal, isAwaited: false }, namesakes);
    return { ...view, lastModified: isoSeconds(new Date(second * 1_000)) };
  }
}
