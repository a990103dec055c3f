import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import { PeerComparisonsQuery, type PeerComparison } from '../../contracts/inventory.queries.js';

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
