import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import type { PeerView } from '../contracts/peer-view.js';
import { PeerEntity } from '../projections/peers/peer.entity.js';
import { PeerQuery, PeersQuery } from './peers.query.js';

@QueryHandler(PeersQuery)
export class PeersHandler implements IQueryHandler<PeersQuery> {
  constructor(private readonly dataSource: DataSource) {}

  execute(): Promise<readonly PeerView[]> {
    const query = this.dataSource.createQueryBuilder(PeerEntity, 'peer').where(`peer.state <> 'UNREGISTERED'`);
    return query.orderBy('peer.name').addOrderBy('peer.id').getMany();
  }
}

@QueryHandler(PeerQuery)
export class PeerHandler implements IQueryHandler<PeerQuery> {
  constructor(private readonly dataSource: DataSource) {}

  execute({ id }: PeerQuery): Promise<PeerView | null> {
    return this.dataSource.createQueryBuilder(PeerEntity, 'peer').where('peer.id = :id', { id }).getOne();
  }
}
