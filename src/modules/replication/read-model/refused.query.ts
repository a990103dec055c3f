import { createHash } from 'node:crypto';
import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';

/** Asks for the ids of the packages of which this server refuses what the peer tells, ordered, after an id. */
export class RefusedPackagesQuery extends Query<readonly string[]> {
  constructor(
    readonly peerId: string,
    readonly after: string | null,
    readonly first: number,
  ) {
    super();
  }
}

/** The numbers of packages of which one of the two servers refuses what the other one tells. */
export interface RefusalCounts {
  /** Refused by this server. */
  readonly byUs: number;
  /** Refused by the peer, as it told at the last comparison. */
  readonly byPeer: number;
}

/** Asks for the counts of these peers, in the order of their ids. */
export class RefusalCountsQuery extends Query<readonly RefusalCounts[]> {
  constructor(readonly peerIds: readonly string[]) {
    super();
  }
}

/** A peer that refuses what this server tells of a package. */
interface RefusingPeer {
  readonly id: string;
  readonly name: string;
}

/** Asks which peers refuse each of these packages, in the order of their ids. */
export class RefusingPeersQuery extends Query<readonly (readonly RefusingPeer[])[]> {
  constructor(readonly packageIds: readonly string[]) {
    super();
  }
}

/** The digest by which two servers see whether they know of the same refused packages; '' for none. */
export const digestOfIds = (ids: readonly string[]): string =>
  ids.length === 0 ? '' : createHash('sha256').update(ids.join('\n')).digest('hex');

/** SQL: the refused item `r` tells something that is later than what this server knows of the package `p`. */
export const TELLS_MORE = `(r.publication > p.publication OR r.stage_stamp > p.stage_stamp
  OR r.removal > coalesce(p.removal, '') OR r.first_published_at < p.first_published_at)`;

const REFUSED_ITEMS = `state.refused_items r LEFT JOIN packages p ON p.id = r.package_id`;
const COUNTS = `(p.id IS NULL OR ${TELLS_MORE})`;

@QueryHandler(RefusedPackagesQuery)
export class RefusedPackagesHandler implements IQueryHandler<RefusedPackagesQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute({ peerId, after, first }: RefusedPackagesQuery): Promise<readonly string[]> {
    const rows: { id: string }[] = await this.dataSource.query(
      `SELECT r.package_id AS id FROM ${REFUSED_ITEMS}
       WHERE r.peer_id = $1 AND ($2::uuid IS NULL OR r.package_id > $2) AND ${COUNTS}
       ORDER BY r.package_id LIMIT $3`,
      [peerId, after, first],
    );
    return rows.map(({ id }) => id);
  }
}

@QueryHandler(RefusalCountsQuery)
export class RefusalCountsHandler implements IQueryHandler<RefusalCountsQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute({ peerIds }: RefusalCountsQuery): Promise<readonly RefusalCounts[]> {
    const rows: (RefusalCounts & { peerId: string })[] = await this.dataSource.query(
      `SELECT peer_id AS "peerId", sum(by_us)::int AS "byUs", sum(by_peer)::int AS "byPeer" FROM (
         SELECT r.peer_id, 1 AS by_us, 0 AS by_peer FROM ${REFUSED_ITEMS} WHERE r.peer_id = ANY ($1) AND ${COUNTS}
         UNION ALL
         SELECT peer_id, 0, 1 FROM state.refused_by_peers WHERE peer_id = ANY ($1)) refused
       GROUP BY peer_id`,
      [peerIds],
    );
    return peerIds.map((id) => rows.find(({ peerId }) => peerId === id) ?? { byUs: 0, byPeer: 0 });
  }
}

@QueryHandler(RefusingPeersQuery)
export class RefusingPeersHandler implements IQueryHandler<RefusingPeersQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute({ packageIds }: RefusingPeersQuery): Promise<readonly (readonly RefusingPeer[])[]> {
    const rows: (RefusingPeer & { packageId: string })[] = await this.dataSource.query(
      `SELECT b.package_id AS "packageId", b.peer_id AS id, coalesce(s.name, b.peer_id) AS name
       FROM state.refused_by_peers b LEFT JOIN replica_servers s ON s.id = b.peer_id
       WHERE b.package_id = ANY ($1) ORDER BY name, id`,
      [packageIds],
    );
    return packageIds.map((wanted) =>
      rows.filter(({ packageId }) => packageId === wanted).map(({ id, name }) => ({ id, name })),
    );
  }
}
