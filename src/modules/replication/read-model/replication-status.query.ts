import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import type { Stage } from '../../../kernel/stage.js';
import { MISSING_AFTER_MS } from '../../../platform/jobs/running-processes.js';

/** The contact of this server with a peer that it follows. */
export interface PeerContactStatus {
  readonly peerId: string;
  /** True when this server reads the peer's feed now. */
  readonly following: boolean;
  /** Since when `following` has been so. */
  readonly since: Date;
  readonly lastError: string | null;
  /** The time when this server tries again. Null while it follows the peer. */
  readonly nextTryAt: Date | null;
  /** True while the process that has written this runs. Nobody knows otherwise whether it is still so. */
  readonly isWatched: boolean;
  /** When that process was seen last; null when it has left no trace. */
  readonly watchedAt: Date | null;
}

/** Asks for the contact with these peers, in the order of their ids. It is null for a peer that this server does not follow. */
export class PeerContactsQuery extends Query<readonly (PeerContactStatus | null)[]> {
  constructor(readonly peerIds: readonly string[]) {
    super();
  }
}

/** The stage that a peer told last. */
export interface PeerStage {
  readonly peerId: string;
  readonly stage: Stage;
  readonly toldAt: Date;
}

/** The stages that these peers told last, in the order of their ids; null for a peer that has told none. */
export class PeerStagesQuery extends Query<readonly (PeerStage | null)[]> {
  constructor(readonly peerIds: readonly string[]) {
    super();
  }
}

/** The performance of a peer as a source of one package that is being fetched. */
export interface SourceView {
  readonly packageId: string;
  readonly peerId: string;
  readonly peerName: string;
  /** The present rate; 0 between two chunk ranges. */
  readonly bytesPerSecond: number;
  readonly lastError: string | null;
  /** The time when the peer may be asked again after an error. Null when it may be asked now. */
  readonly nextTryAt: Date | null;
}

/** The sources of each package within the last minute, the fastest first. */
export class SourcesQuery extends Query<readonly (readonly SourceView[])[]> {
  constructor(readonly packageIds: readonly string[]) {
    super();
  }
}

/** The result of the last comparison with a peer. */
export interface PeerComparison {
  readonly peerId: string;
  readonly comparedAt: Date;
  /** The number of packages in which the two servers differed. */
  readonly differences: number;
}

/** The last comparisons with these peers, in the order of their ids; null for a peer that was never compared. */
export class PeerComparisonsQuery extends Query<readonly (PeerComparison | null)[]> {
  constructor(readonly peerIds: readonly string[]) {
    super();
  }
}

@QueryHandler(PeerContactsQuery)
export class PeerContactsHandler implements IQueryHandler<PeerContactsQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute({ peerIds }: PeerContactsQuery): Promise<readonly (PeerContactStatus | null)[]> {
    const rows: PeerContactStatus[] = await this.dataSource.query(
      `SELECT c.peer_id AS "peerId", c.following, c.since, c.last_error AS "lastError", c.next_try_at AS "nextTryAt",
         p.seen_at AS "watchedAt",
         coalesce(NOT p.has_ended AND p.seen_at > now() - $2 * interval '1 ms', false) AS "isWatched"
       FROM state.peer_contacts c LEFT JOIN state.processes p ON p.id = c.process_id WHERE c.peer_id = ANY ($1)`,
      [peerIds, MISSING_AFTER_MS],
    );
    return peerIds.map((id) => rows.find(({ peerId }) => peerId === id) ?? null);
  }
}

@QueryHandler(PeerStagesQuery)
export class PeerStagesHandler implements IQueryHandler<PeerStagesQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute({ peerIds }: PeerStagesQuery): Promise<readonly (PeerStage | null)[]> {
    const rows: PeerStage[] = await this.dataSource.query(
      'SELECT peer_id AS "peerId", stage, told_at AS "toldAt" FROM state.peer_stages WHERE peer_id = ANY ($1)',
      [peerIds],
    );
    return peerIds.map((id) => rows.find(({ peerId }) => peerId === id) ?? null);
  }
}

/** A rate that was not renewed for 5 seconds belongs to a process that has died, and does not count. */
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
