import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import { ServerIdentity } from '../../../ports/server-identity.port.js';
import type { PeerView } from '../contracts/peer-view.js';
import { PeerEntity } from '../projections/peers/peer.entity.js';
import { PeerQuery, PeersQuery } from './peers.query.js';

/** A row with what the memory of this server adds to it. */
const toView = (row: PeerEntity, identity: ServerIdentity): PeerView => ({
  ...row,
  knowsOurKey: identity.keyKnownTo(row.id) === identity.publicKey,
});

@QueryHandler(PeersQuery)
export class PeersHandler implements IQueryHandler<PeersQuery> {
  constructor(
    private readonly dataSource: DataSource,
    private readonly identity: ServerIdentity,
  ) {}

  async execute(): Promise<readonly PeerView[]> {
    const query = this.dataSource.createQueryBuilder(PeerEntity, 'peer').where(`peer.state <> 'UNREGISTERED'`);
    const rows = await query.orderBy('peer.name').addOrderBy('peer.id').getMany();
    return rows.map((row) => toView(row, this.identity));
  }
}

@QueryHandler(PeerQuery)
export class PeerHandler implements IQueryHandler<PeerQuery> {
  constructor(
    private readonly dataSource: DataSource,
    private readonly identity: ServerIdentity,
  ) {}

  async execute({ id }: PeerQuery): Promise<PeerView | null> {
    const row = await this.dataSource.createQueryBuilder(PeerEntity, 'peer').where('peer.id = :id', { id }).getOne();
    return row && toView(row, this.identity);
  }
}
