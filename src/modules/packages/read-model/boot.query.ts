import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import type { Stamp } from '../../../kernel/hybrid-clock.js';

/** The ids of all packages whose bytes must be on the disk of this server. */
export class HeldPackagesQuery extends Query<ReadonlySet<string>> {}

/** The latest stamp of any register, or null when there is none. The clock of this server must continue after it. */
export class LatestStampQuery extends Query<Stamp | null> {}

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

@QueryHandler(LatestStampQuery)
export class LatestStampHandler implements IQueryHandler<LatestStampQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute(): Promise<Stamp | null> {
    const rows: { stamp: Stamp | null }[] = await this.dataSource.query(
      'SELECT greatest(max(publication), max(stage_stamp), max(removal)) AS stamp FROM packages',
    );
    return rows[0]?.stamp ?? null;
  }
}
