import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';

/** OFF when ODST_SCRUB_RATE is 0, WAITING until a package is due, RUNNING while files are read. */
export const SCRUB_STATES = ['OFF', 'WAITING', 'RUNNING'] as const;
export type ScrubState = (typeof SCRUB_STATES)[number];

/** The background check of all files, as it is shown. */
interface ScrubView {
  readonly state: ScrubState;
  readonly bytesPerSecond: number;
  readonly lastFinishedAt: Date | null;
  /** Number of damaged files found since the server was set up, by the scrub and by other checks. */
  readonly damagedFound: number;
}

/** The state of the scrub. */
export class ScrubQuery extends Query<ScrubView> {}

/** A held package whose file has not been read for some time. */
export interface DuePackage {
  readonly packageId: string;
  readonly size: number;
  readonly chunkCount: number;
}

/** The held packages that were last verified before a time, at most `most` of them and without some, the earliest first. */
export class DuePackagesQuery extends Query<readonly DuePackage[]> {
  constructor(
    readonly before: Date,
    readonly most: number,
    readonly without: readonly string[] = [],
  ) {
    super();
  }
}

/** The ids of all packages whose file belongs on our disk. */
export class HeldIdsQuery extends Query<readonly string[]> {}

/** The ids of the packages that this server wants and does not hold, of all or of the given ones. Their files may come back. */
export class AwaitedIdsQuery extends Query<readonly string[]> {
  constructor(readonly packageIds: readonly string[] | null = null) {
    super();
  }
}

/** Asks when the files of packages were last verified as a whole: by the scrub, on request, or when published. Null for a package that is not held. */
export class LastVerifiedQuery extends Query<readonly (Date | null)[]> {
  constructor(readonly packageIds: readonly string[]) {
    super();
  }
}

/** A file was also verified when it was published, by our own copy or by the upload. `greatest` ignores null. */
const FROM_HELD_PACKAGES = `FROM packages p
  LEFT JOIN state.verified_packages v ON v.package_id = p.id
  LEFT JOIN replicas r ON r.package_id = p.id AND r.local AND r.state = 'PUBLISHED'
  WHERE p.held`;
const VERIFIED_AT = 'greatest(v.verified_at, r.published_at)';

@QueryHandler(DuePackagesQuery)
export class DuePackagesHandler implements IQueryHandler<DuePackagesQuery> {
  constructor(private readonly dataSource: DataSource) {}

  execute({ before, most, without }: DuePackagesQuery): Promise<readonly DuePackage[]> {
    return this.dataSource.query(
      `SELECT p.id AS "packageId", p.size::float8 AS size, p.chunk_count AS "chunkCount" ${FROM_HELD_PACKAGES}
       AND coalesce(${VERIFIED_AT}, '-infinity') < $1 AND p.id <> ALL ($3::uuid[])
       ORDER BY ${VERIFIED_AT} NULLS FIRST, p.id LIMIT $2`,
      [before, most, without],
    );
  }
}

@QueryHandler(HeldIdsQuery)
export class HeldIdsHandler implements IQueryHandler<HeldIdsQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute(): Promise<readonly string[]> {
    const rows: { id: string }[] = await this.dataSource.query('SELECT id FROM packages WHERE held');
    return rows.map(({ id }) => id);
  }
}

@QueryHandler(AwaitedIdsQuery)
export class AwaitedIdsHandler implements IQueryHandler<AwaitedIdsQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute({ packageIds }: AwaitedIdsQuery): Promise<readonly string[]> {
    const rows: { id: string }[] = await this.dataSource.query(
      'SELECT id FROM packages WHERE NOT held AND fetching IS NOT NULL AND ($1::text[] IS NULL OR id::text = ANY ($1))',
      [packageIds],
    );
    return rows.map(({ id }) => id);
  }
}

@QueryHandler(LastVerifiedQuery)
export class LastVerifiedHandler implements IQueryHandler<LastVerifiedQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute({ packageIds }: LastVerifiedQuery): Promise<readonly (Date | null)[]> {
    const rows: { id: string; at: Date | null }[] = await this.dataSource.query(
      `SELECT p.id, ${VERIFIED_AT} AS at ${FROM_HELD_PACKAGES} AND p.id = ANY ($1)`,
      [packageIds],
    );
    const times = new Map(rows.map(({ id, at }) => [id, at]));
    return packageIds.map((id) => times.get(id) ?? null);
  }
}

@QueryHandler(ScrubQuery)
export class ScrubHandler implements IQueryHandler<ScrubQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute(): Promise<ScrubView> {
    const rows: ScrubView[] = await this.dataSource.query(
      `SELECT state, bytes_per_second::float8 AS "bytesPerSecond", last_finished_at AS "lastFinishedAt",
       damaged_found AS "damagedFound" FROM state.scrub`,
    );
    return rows[0] ?? { state: 'OFF', bytesPerSecond: 0, lastFinishedAt: null, damagedFound: 0 };
  }
}
