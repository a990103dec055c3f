import { Query, type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import type { Stamp } from '../../../kernel/hybrid-clock.js';

/** Packages that are held but not served, because another package with their filename was published later. */
interface SupersededPackages {
  readonly packageIds: readonly string[];
  readonly by: { readonly packageId: string; readonly publication: Stamp };
}

/** Query: the superseded packages with the filename of the given package. Null when there are none. */
export class SupersededPackagesQuery extends Query<SupersededPackages | null> {
  constructor(readonly packageId: string) {
    super();
  }
}

@QueryHandler(SupersededPackagesQuery)
export class SupersededPackagesHandler implements IQueryHandler<SupersededPackagesQuery> {
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
