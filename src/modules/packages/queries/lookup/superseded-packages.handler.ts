import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import { SupersededPackagesQuery, type SupersededPackages } from '../../contracts/superseded-packages.query.js';

@QueryHandler(SupersededPackagesQuery)
export class SupersededPackagesHandler implements IQueryHandler<SupersededPackagesQuery, SupersededPackages | null> {
  constructor(private readonly dataSource: DataSource) {}

  async execute({ packageId }: SupersededPackagesQuery): Promise<SupersededPackages | null> {
    const rows: { superseded: string; packageId: string; publication: string }[] = await this.dataSource.query(
      `SELECT other.id AS superseded, served.id AS "packageId", served.publication
       FROM packages known
       JOIN packages served ON served.filename = known.filename AND served.state = 'AVAILABLE'
       JOIN packages other ON other.filename = known.filename AND other.state = 'SUPERSEDED'
       WHERE known.id = $1 ORDER BY other.id`,
      [packageId],
    );
    const [first] = rows;
    if (!first) return null;
    const by = { packageId: first.packageId, publication: first.publication };
    return { packageIds: rows.map(({ superseded }) => superseded), by };
  }
}
