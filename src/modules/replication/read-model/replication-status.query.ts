import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import { type PeerComparison, PeerComparisonsQuery } from './inventory.query.js';

/** How this server gets on with following a peer. */
export interface PeerContactStatus {
  readonly peerId: string;
  /** Does it read the peer's feed now? */
  readonly following: boolean;
  /** Since when it does, or does not. */
  readonly since: Date;
  readonly lastError: string | null;
  /** Null while it follows. */
  readonly nextTryAt: Date | null;
}

/** Query: one status a peer, null for one that this server does not follow. */
export class PeerContactsQuery {
  constructor(readonly peerIds: readonly string[]) {}
}

/** How a peer does as a source of one package that is being fetched. */
export interface SourceView {
  readonly packageId: string;
  readonly peerId: string;
  readonly peerName: string;
  /** Now; 0 between two runs. */
  readonly bytesPerSecond: number;
  readonly lastError: string | null;
  /** When it may be asked again after an error; null when that is now. */
  readonly nextTryAt: Date | null;
}

/** Query: the sources of each package within the last minute, the fastest first: readonly (readonly SourceView[])[]. */
export class SourcesQuery {
  constructor(readonly packageIds: readonly string[]) {}
}

@QueryHandler(PeerContactsQuery)
export class PeerContactsHandler implements IQueryHandler<PeerContactsQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute({ peerIds }: PeerContactsQuery): Promise<readonly (PeerContactStatus | null)[]> {
    const rows: PeerContactStatus[] = await this.dataSource.query(
      `SELECT peer_id AS "peerId", following, since, last_error AS "lastError", next_try_at AS "nextTryAt"
       FROM state.peer_contacts WHERE peer_id = ANY ($1)`,
      [peerIds],
    );
    return peerIds.map((id) => rows.find(({ peerId }) => peerId === id) ?? null);
  }
}

/** A rate that was not told again for 5 s is that of a process that has died. */
const SELECT_SOURCES = `
SELECT t.package_id AS "packageId", t.peer_id AS "peerId", coalesce(max(s.name), t.peer_id) AS "peerName",
       coalesce(sum(t.bytes_per_second) FILTER (WHERE t.seen_at > now() - interval '5 s'), 0)::float8 AS "bytesPerSecond",
       (array_agg(t.last_error ORDER BY t.seen_at DESC))[1] AS "lastError",
       (array_agg(t.next_try_at ORDER BY t.seen_at DESC))[1] AS "nextTryAt"
FROM state.transfers t LEFT JOIN replica_servers s ON s.id = t.peer_id
WHERE t.package_id = ANY ($1) AND t.seen_at > now() - interval '1 min'
GROUP BY t.package_id, t.peer_id ORDER BY "bytesPerSecond" DESC, "peerName"`;

@QueryHandler(SourcesQuery)
export class SourcesHandler implements IQueryHandler<SourcesQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute({ packageIds }: SourcesQuery): Promise<readonly (readonly SourceView[])[]> {
    const rows: SourceView[] = await this.dataSource.query(SELECT_SOURCES, [packageIds]);
    return packageIds.map((id) => rows.filter(({ packageId }) => packageId === id));
  }
}

@QueryHandler(PeerComparisonsQuery)
export class PeerComparisonsHandler implements IQueryHandler<PeerComparisonsQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute({ peerIds }: PeerComparisonsQuery): Promise<readonly (PeerComparison | null)[]> {
    const rows: PeerComparison[] = await this.dataSource.query(
      `SELECT peer_id AS "peerId", compared_at AS "comparedAt", differences FROM state.peer_comparisons WHERE peer_id = ANY ($1)`,
      [peerIds],
    );
    return peerIds.map((id) => rows.find(({ peerId }) => peerId === id) ?? null);
  }
}
