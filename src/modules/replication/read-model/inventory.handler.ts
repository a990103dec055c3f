import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import {
  BUCKET_COUNT,
  type BucketDigests,
  DifferencesQuery,
  type Holder,
  type Inventory,
  type InventoryEntries,
  InventoryEntriesQuery,
  InventoryQuery,
} from '../contracts/inventory.js';

const NOT_REMOVED = 'NOT coalesce(p.removal > p.publication, false)';
/** `extract` would compute in numeric, which takes much longer. */
const PUBLISHED_SECONDS = `date_part('epoch', p.first_published_at)::int8`;
const EMPTY_BUCKET: BucketDigests = { registers: '', held: '' };

/** Packages, each with whether the holder (parameter `n`) has it. */
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

/** The bounds of a bucket in the order of ids. */
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
