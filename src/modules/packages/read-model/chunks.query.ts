import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import type { ChunkView } from '../contracts/package-view.js';

/** The chunks `from` to `from + count - 1` of one package. */
export interface ChunkWindow {
  readonly packageId: string;
  readonly from: number;
  readonly count: number;
}

/** The chunks of several windows, read in one query. The result has one list per window. */
export class ChunksQuery extends Query<readonly (readonly ChunkView[])[]> {
  constructor(readonly windows: readonly ChunkWindow[]) {
    super();
  }
}

interface PageSlice {
  /** Number of the window, from 1. */
  readonly nr: string;
  readonly first: number;
  readonly sha1: Buffer;
  readonly sha256: Buffer;
}

const SHA1_BYTES = 20;
const SHA256_BYTES = 32;

function chunksIn({ first, sha1, sha256 }: PageSlice): ChunkView[] {
  return Array.from({ length: sha1.length / SHA1_BYTES }, (_, i) => ({
    index: first + i,
    sha1: sha1.toString('hex', i * SHA1_BYTES, (i + 1) * SHA1_BYTES),
    sha256: sha256.toString('hex', i * SHA256_BYTES, (i + 1) * SHA256_BYTES),
  }));
}

/** Reads only the requested part of each page of digests. */
@QueryHandler(ChunksQuery)
export class ChunksHandler implements IQueryHandler<ChunksQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute({ windows }: ChunksQuery): Promise<readonly (readonly ChunkView[])[]> {
    const slices: PageSlice[] = await this.dataSource.query(
      `SELECT nr, low AS first,
              substring(sha1 FROM (low - page.first) * ${SHA1_BYTES} + 1 FOR (high - low) * ${SHA1_BYTES}) AS sha1,
              substring(sha256 FROM (low - page.first) * ${SHA256_BYTES} + 1 FOR (high - low) * ${SHA256_BYTES}) AS sha256
       FROM unnest($1::uuid[], $2::int[], $3::int[]) WITH ORDINALITY AS wanted(package_id, "from", "to", nr)
       JOIN chunk_pages page ON page.package_id = wanted.package_id
         AND page.first < wanted."to" AND page.first + page.count > wanted."from"
       CROSS JOIN LATERAL (SELECT greatest(page.first, wanted."from") AS low,
                                  least(page.first + page.count, wanted."to") AS high) AS cut
       ORDER BY nr, low`,
      [windows.map((w) => w.packageId), windows.map((w) => w.from), windows.map((w) => w.from + w.count)],
    );
    return windows.map((_, i) => slices.filter((slice) => Number(slice.nr) === i + 1).flatMap(chunksIn));
  }
}
