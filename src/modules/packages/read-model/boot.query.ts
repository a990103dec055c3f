import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';

/** The ids of all packages whose bytes must be on the disk of this server. */
export class HeldPackagesQuery extends Query<ReadonlySet<string>> {}

/** Ids of packages, in their order and after the given one, with a register that this server set and did not sign. */
export class UnsignedPackagesQuery extends Query<readonly string[]> {
  constructor(
    readonly serverId: string,
    readonly after: string | null,
    readonly limit: number,
  ) {
    super();
  }
}

@QueryHandler(UnsignedPackagesQuery)
export class UnsignedPackagesHandler implements IQueryHandler<UnsignedPackagesQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute({ serverId, after, limit }: UnsignedPackagesQuery): Promise<readonly string[]> {
    const rows: { id: string }[] = await this.dataSource.query(
      `SELECT id FROM packages WHERE unsigned_by <> '{}' AND unsigned_by @> ARRAY[$1]
         AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3`,
      [serverId, after, limit],
    );
    return rows.map(({ id }) => id);
  }
}

@QueryHandler(HeldPackagesQuery)
export class HeldPackagesHandler implements IQueryHandler<HeldPackagesQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute(): Promise<ReadonlySet<string>> {
    const rows: { id: string }[] = await this.dataSource.query('SELECT id FROM packages WHERE held');
    return new Set(rows.map((row) => row.id));
  }
}
