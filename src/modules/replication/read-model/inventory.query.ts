import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import { type Stage, STAGES } from '../../../kernel/stage.js';

/** Number of buckets in which packages are compared. The first byte of a package's id names its bucket. */
export const BUCKET_COUNT = 256;

/** Largest number of entries of a bucket in one answer. */
export const MAX_ENTRIES_PER_PAGE = 1_000;
/** Largest number of packages whose items can be requested at once. */
export const MAX_ITEMS_PER_REQUEST = 200;

/**
 * Digests of one bucket, as SHA-256 in hex and '' for nothing. `registers` covers the registers of its packages and
 * `held` the ids of the packages that are held. Removed packages and packages of other stages are left out.
 */
interface BucketDigests {
  readonly registers: string;
  readonly held: string;
}

/** The knowledge of one server about one package, as far as two servers have to agree on it. */
export interface InventoryEntry {
  readonly packageId: string;
  readonly stage: Stage;
  readonly stageStamp: string;
  readonly publication: string;
  readonly removal: string | null;
  /** Seconds since 1970. */
  readonly firstPublishedAt: number;
  /** The package is verified and on the server's disk. In our own entries for a comparison: the peer is known to hold it. */
  readonly held: boolean;
}

/** The stages of packages that servers of both stages accept. */
export const stagesOfBoth = (a: Stage, b: Stage): readonly Stage[] =>
  STAGES.slice(Math.max(STAGES.indexOf(a), STAGES.indexOf(b)));

/** The numbers of the buckets whose digests differ. */
export function findDifferingBuckets(
  ours: readonly BucketDigests[],
  theirs: readonly BucketDigests[],
): readonly number[] {
  return Array.from({ length: BUCKET_COUNT }, (_, bucket) => bucket).filter((bucket) => {
    const [a, b] = [ours[bucket], theirs[bucket]];
    return a?.registers !== b?.registers || a?.held !== b?.held;
  });
}

/** The server whose copies count as held: this server, or a peer whose copies this server knows from reports. */
type Holder = { readonly peerId: string } | 'us';

export interface Inventory {
  /** One for each bucket, in the order of their numbers. */
  readonly buckets: readonly BucketDigests[];
  /** The latest stamp of any register of any package; null when there is none. Servers of earlier versions need it. */
  readonly latestStamp: string | null;
}

/** The digests of all packages of these stages. */
export class InventoryQuery extends Query<Inventory> {
  constructor(
    readonly stages: readonly Stage[],
    readonly holder: Holder,
  ) {
    super();
  }
}

/** Asks for the `first` packages of one bucket after an id, ordered by id. Removed packages are included. */
export class InventoryEntriesQuery extends Query<InventoryEntries> {
  constructor(
    readonly bucket: number,
    readonly after: string | null,
    readonly first: number,
    readonly holder: Holder,
  ) {
    super();
  }
}
export type InventoryEntries = readonly InventoryEntry[];

/**
 * The number of packages in which this server and a peer differ: the packages that were found to differ, those that the
 * peer holds and we lack although we accept their stage, and the same the other way round.
 */
export class DifferencesQuery extends Query<number> {
  constructor(
    readonly peerId: string,
    readonly stages: { readonly ours: readonly Stage[]; readonly theirs: readonly Stage[] },
    readonly found: readonly string[],
  ) {
    super();
  }
}

const NOT_REMOVED = 'NOT coalesce(p.removal > p.publication, false)';
/** `extract` computes in numeric, which is much slower. */
const PUBLISHED_SECONDS = `date_part('epoch', p.first_published_at)::int8`;
const EMPTY_BUCKET: BucketDigests = { registers: '', held: '' };

/** The packages, each with a column that says whether the holder has it. The holder is parameter `n`. */
const packagesHeldBy = (holder: Holder, n: number) =>
  holder === 'us'
    ? { from: 'packages p', held: 'p.held', values: [] }
    : {
        from: `packages p LEFT JOIN replicas r ON r.package_id = p.id AND r.server_id = $${n} AND r.state = 'PUBLISHED'`,
        held: '(r.package_id IS NOT NULL)',
        values: [holder.peerId],
      };

const digestSql = (what: string, filter = ''): string =>
  `coalesce(encode(sha256(convert_to(string_agg(${what}, E'\\n' ORDER BY p.id) ${filter}, 'UTF8')), 'hex'), '')`;

type BucketRow = BucketDigests & { readonly bucket: number; readonly latest: string | null };

@QueryHandler(InventoryQuery)
export class InventoryHandler implements IQueryHandler<InventoryQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute({ stages, holder }: InventoryQuery): Promise<Inventory> {
    const { from, held, values } = packagesHeldBy(holder, 2);
    const counts = `p.stage = ANY ($1) AND ${NOT_REMOVED}`;
    const register = `p.id || ' ' || p.stage_stamp || ' ' || p.publication || ' ' || ${PUBLISHED_SECONDS}`;
    const rows: BucketRow[] = await this.dataSource.query(
      `SELECT get_byte(uuid_send(p.id), 0) AS bucket,
         ${digestSql(register, `FILTER (WHERE ${counts})`)} AS registers,
         ${digestSql('p.id::text', `FILTER (WHERE ${counts} AND ${held})`)} AS held,
         greatest(max(p.publication), max(p.stage_stamp), max(p.removal)) AS latest
       FROM ${from} GROUP BY 1`,
      [stages, ...values],
    );
    const buckets = Array.from({ length: BUCKET_COUNT }, () => EMPTY_BUCKET);
    for (const { bucket, registers, held: heldDigest } of rows) buckets[bucket] = { registers, held: heldDigest };
    const latestStamp = rows.map(({ latest }) => latest).reduce((a, b) => ((a ?? '') > (b ?? '') ? a : b), null);
    return { buckets, latestStamp };
  }
}

/** The lowest and the highest id of a bucket. */
const boundsOf = (bucket: number): [string, string] => {
  const byte = bucket.toString(16).padStart(2, '0');
  return [`${byte}000000-0000-0000-0000-000000000000`, `${byte}ffffff-ffff-ffff-ffff-ffffffffffff`];
};

@QueryHandler(InventoryEntriesQuery)
export class InventoryEntriesHandler implements IQueryHandler<InventoryEntriesQuery> {
  constructor(private readonly dataSource: DataSource) {}

  execute({ bucket, after, first, holder }: InventoryEntriesQuery): Promise<InventoryEntries> {
    const { from, held, values } = packagesHeldBy(holder, 5);
    return this.dataSource.query(
      `SELECT p.id AS "packageId", p.stage, p.stage_stamp AS "stageStamp", p.publication, p.removal,
         ${PUBLISHED_SECONDS}::float8 AS "firstPublishedAt", ${held} AS held
       FROM ${from} WHERE p.id BETWEEN $1 AND $2 AND ($3::uuid IS NULL OR p.id > $3) ORDER BY p.id LIMIT $4`,
      [...boundsOf(bucket), after, first, ...values],
    );
  }
}

@QueryHandler(DifferencesQuery)
export class DifferencesHandler implements IQueryHandler<DifferencesQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute({ peerId, stages, found }: DifferencesQuery): Promise<number> {
    const { from, held } = packagesHeldBy({ peerId }, 1);
    const rows: { count: number }[] = await this.dataSource.query(
      `SELECT count(*)::int AS count FROM (
         SELECT p.id FROM ${from}
         WHERE ${NOT_REMOVED} AND ((NOT p.held AND ${held} AND p.stage = ANY ($2)) OR (p.held AND NOT ${held} AND p.stage = ANY ($3)))
         UNION SELECT unnest($4::uuid[])) d`,
      [peerId, stages.ours, stages.theirs, found],
    );
    return rows[0]?.count ?? 0;
  }
}
