import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import { type Stage, STAGES } from '../../../kernel/stage.js';
import { digestOfIds, TELLS_MORE } from './refused.query.js';

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

/**
 * The peer that is compared with, and whose copies count as held: this server's, or those of the peer that this server knows
 * from reports. Where this server refuses what the peer tells, the word of the peer counts, since that difference is wanted.
 */
export interface ComparedWith {
  readonly peerId: string;
  readonly holder: 'us' | 'peer';
}

export interface Inventory {
  /** One for each bucket, in the order of their numbers. */
  readonly buckets: readonly BucketDigests[];
  /** The latest stamp of any register of any package; null when there is none. Servers of earlier versions need it. */
  readonly latestStamp: string | null;
  /** The digest of the packages of which this server refuses what the peer tells. */
  readonly refused: string;
}

/** The digests of all packages of these stages. */
export class InventoryQuery extends Query<Inventory> {
  constructor(
    readonly stages: readonly Stage[],
    readonly compared: ComparedWith,
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
    readonly compared: ComparedWith,
  ) {
    super();
  }
}
export type InventoryEntries = readonly InventoryEntry[];

/**
 * The number of packages in which this server and a peer differ: the packages that were found to differ, those that the
 * peer holds and we lack although we accept their stage, and the same the other way round, unless one of the two refuses
 * what the other tells of it.
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

/** `extract` computes in numeric, which is much slower. */
const publishedSeconds = (table: string): string => `date_part('epoch', ${table}.first_published_at)::int8`;
const EMPTY_BUCKET: BucketDigests = { registers: '', held: '' };

const REFUSED_OF_PEER = 'LEFT JOIN state.refused_items r ON r.package_id = p.id AND r.peer_id = $1';
const KNOWN_COPIES = `LEFT JOIN replicas h ON h.package_id = p.id AND h.server_id = $1 AND h.state = 'PUBLISHED'`;

/** The packages as the peer $1 has to see them. `held` says whether the holder has them, `refused` that we do not believe all. */
const packagesFor = ({ holder }: ComparedWith): string => `(
  SELECT p.id, CASE WHEN r.stage_stamp > p.stage_stamp THEN r.stage ELSE p.stage END AS stage,
    greatest(p.stage_stamp, r.stage_stamp) AS stage_stamp, greatest(p.publication, r.publication) AS publication,
    greatest(p.removal, r.removal) AS removal,
    least(${publishedSeconds('p')}, ${publishedSeconds('r')}) AS first_published,
    ${holder === 'us' ? 'p.held' : '(h.package_id IS NOT NULL)'} AS held, coalesce(${TELLS_MORE}, false) AS refused
  FROM packages p ${REFUSED_OF_PEER} ${holder === 'us' ? '' : KNOWN_COPIES}
  UNION ALL
  SELECT r.package_id, r.stage, r.stage_stamp, r.publication, r.removal, ${publishedSeconds('r')},
    ${holder === 'us' ? 'false' : 'r.held'}, true
  FROM state.refused_items r
  WHERE r.peer_id = $1 AND NOT EXISTS (SELECT FROM packages p WHERE p.id = r.package_id)) p`;

const NOT_REMOVED = 'NOT coalesce(p.removal > p.publication, false)';

const digestSql = (what: string, filter = ''): string =>
  `coalesce(encode(sha256(convert_to(string_agg(${what}, E'\\n' ORDER BY p.id) ${filter}, 'UTF8')), 'hex'), '')`;

interface BucketRow extends BucketDigests {
  readonly bucket: number;
  readonly latest: string | null;
  readonly refusedIds: string[] | null;
}

@QueryHandler(InventoryQuery)
export class InventoryHandler implements IQueryHandler<InventoryQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute({ stages, compared }: InventoryQuery): Promise<Inventory> {
    const counts = `p.stage = ANY ($2) AND ${NOT_REMOVED}`;
    const register = `p.id || ' ' || p.stage_stamp || ' ' || p.publication || ' ' || p.first_published`;
    const rows: BucketRow[] = await this.dataSource.query(
      `SELECT get_byte(uuid_send(p.id), 0) AS bucket,
         ${digestSql(register, `FILTER (WHERE ${counts})`)} AS registers,
         ${digestSql('p.id::text', `FILTER (WHERE ${counts} AND p.held)`)} AS held,
         greatest(max(p.publication), max(p.stage_stamp), max(p.removal)) AS latest,
         array_agg(p.id ORDER BY p.id) FILTER (WHERE p.refused) AS "refusedIds"
       FROM ${packagesFor(compared)} GROUP BY 1 ORDER BY 1`,
      [compared.peerId, stages],
    );
    const buckets = Array.from({ length: BUCKET_COUNT }, () => EMPTY_BUCKET);
    for (const { bucket, registers, held } of rows) buckets[bucket] = { registers, held };
    const latestStamp = rows.map(({ latest }) => latest).reduce((a, b) => ((a ?? '') > (b ?? '') ? a : b), null);
    return { buckets, latestStamp, refused: digestOfIds(rows.flatMap(({ refusedIds }) => refusedIds ?? [])) };
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

  execute({ bucket, after, first, compared }: InventoryEntriesQuery): Promise<InventoryEntries> {
    return this.dataSource.query(
      `SELECT p.id AS "packageId", p.stage, p.stage_stamp AS "stageStamp", p.publication, p.removal,
         p.first_published::float8 AS "firstPublishedAt", p.held
       FROM ${packagesFor(compared)}
       WHERE p.id BETWEEN $2 AND $3 AND ($4::uuid IS NULL OR p.id > $4) ORDER BY p.id LIMIT $5`,
      [compared.peerId, ...boundsOf(bucket), after, first],
    );
  }
}

@QueryHandler(DifferencesQuery)
export class DifferencesHandler implements IQueryHandler<DifferencesQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute({ peerId, stages, found }: DifferencesQuery): Promise<number> {
    const rows: { count: number }[] = await this.dataSource.query(
      `SELECT count(*)::int AS count FROM (
         SELECT p.id FROM packages p ${KNOWN_COPIES} ${REFUSED_OF_PEER}
           LEFT JOIN state.refused_by_peers b ON b.peer_id = $1 AND b.package_id = p.id
         WHERE ${NOT_REMOVED} AND ((NOT p.held AND h.package_id IS NOT NULL AND p.stage = ANY ($2))
           OR (p.held AND h.package_id IS NULL AND p.stage = ANY ($3)
             AND b.package_id IS NULL AND NOT coalesce(${TELLS_MORE}, false)))
         UNION SELECT unnest($4::uuid[])) d`,
      [peerId, stages.ours, stages.theirs, found],
    );
    return rows[0]?.count ?? 0;
  }
}
